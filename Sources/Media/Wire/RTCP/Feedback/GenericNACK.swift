/// A generic NACK (RFC 4585 §6.2.1): sequence numbers a receiver asks for again, read in place.
struct GenericNACK {
    /// At most this many PID/BLP pairs are accepted, 4352 sequence numbers; more than any retransmission buffer holds.
    static let maximumItems = 256

    let senderSSRC: SSRC
    let mediaSSRC: SSRC
    let lost: LostSequenceNumbers

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` without an item.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.transportFeedback, format: RTCPFeedbackFormat.genericNACK)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        guard reader.remaining >= 4, reader.remaining % 4 == 0 else { throw .malformed }
        guard reader.remaining / 4 <= Self.maximumItems else { throw .tooLarge }
        lost = LostSequenceNumbers(reader)
    }

    /// Packs sequence numbers into PID/BLP pairs.
    /// - Parameter lost: in the order of the circle, not empty; those that do not follow the order cost a pair more.
    static func write(
        senderSSRC: SSRC, mediaSSRC: SSRC, lost: [SequenceNumber], into writer: inout ByteWriter
    ) throws(WireError) {
        guard !lost.isEmpty else { throw .malformed }
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.transportFeedback, count: Int(RTCPFeedbackFormat.genericNACK))
            try writer.writeUInt32(senderSSRC.rawValue)
            try writer.writeUInt32(mediaSSRC.rawValue)
            var index = 0
            while index < lost.count {
                let first = lost[index]
                var following: UInt16 = 0
                index += 1
                while index < lost.count {
                    let distance = lost[index].distance(from: first)
                    guard (0...16).contains(distance) else { break }
                    // The number itself again adds nothing.
                    if distance > 0 { following |= 1 << UInt16(distance - 1) }
                    index += 1
                }
                try writer.writeUInt16(first.rawValue)
                try writer.writeUInt16(following)
            }
            try writer.endRTCP(start)
        }
    }
}
