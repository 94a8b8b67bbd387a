/// One packet of Engine.IO, protocol 4: a type and text.
struct EnginePacket: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case open = 0x30
        case close, ping, pong, message, upgrade, noop
    }

    var kind: Kind
    var data: String

    init(_ kind: Kind, _ data: String = "") {
        self.kind = kind
        self.data = data
    }

    /// Reads a packet: a digit and whatever follows it.
    init(parsing bytes: some Collection<UInt8>) throws(EngineFormatError) {
        guard let first = bytes.first else { throw .empty }
        // In a payload, "b" begins Base64; nothing of this server's dialect is binary.
        guard first != UInt8(ascii: "b") else { throw .binary }
        guard let kind = Kind(rawValue: first) else { throw .unknownType }
        guard let data = String(validating: bytes.dropFirst(), as: UTF8.self) else { throw .notText }
        self.init(kind, data)
    }

    /// As it is written into a WebSocket frame or a payload.
    var text: String { String(UnicodeScalar(kind.rawValue)) + data }

    /// Bytes of `text`.
    var count: Int { 1 + data.utf8.count }
}

/// Why bytes are no packets of Engine.IO.
enum EngineFormatError: Error, Hashable {
    case empty, unknownType, binary, notText, tooManyPackets
}

/// Packets as the body of a polling request or response: one after the other, with a record separator between.
enum EnginePayload {
    static let separator: UInt8 = 0x1E
    /// More packets in one body than any client sends.
    static let packetLimit = 4096

    static func packets(in body: [UInt8]) throws(EngineFormatError) -> [EnginePacket] {
        let parts = body.split(separator: separator, maxSplits: packetLimit, omittingEmptySubsequences: false)
        guard parts.count <= packetLimit else { throw .tooManyPackets }
        var packets: [EnginePacket] = []
        packets.reserveCapacity(parts.count)
        for part in parts { packets.append(try EnginePacket(parsing: part)) }
        return packets
    }

    static func bytes(of packets: [EnginePacket]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packets.reduce(packets.count) { $0 + $1.count })
        for (index, packet) in packets.enumerated() {
            if index > 0 { bytes.append(separator) }
            bytes.append(contentsOf: packet.text.utf8)
        }
        return bytes
    }
}
