/// One packet of Engine.IO, protocol 4: a type and text.
struct EnginePacket: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case open = 0x30
        case close, ping, pong, message, upgrade, noop
    }

    /// Why bytes are no packets of Engine.IO.
    enum FormatError: Error, Hashable {
        case empty, unknownType, binary, notText, tooManyPackets
    }

    var kind: Kind
    var data: String

    init(_ kind: Kind, _ data: String = "") {
        self.kind = kind
        self.data = data
    }

    /// Reads a packet: a digit and whatever follows it.
    init(parsing bytes: some Collection<UInt8>) throws(FormatError) {
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
