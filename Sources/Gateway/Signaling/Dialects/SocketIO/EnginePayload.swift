/// Packets as the body of a polling request or response: one after the other, with a record separator between.
enum EnginePayload {
    static let separator: UInt8 = 0x1E
    /// More packets in one body than any client sends.
    static let packetLimit = 4096

    static func packets(in body: [UInt8]) throws(EnginePacket.FormatError) -> [EnginePacket] {
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
