// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// REMB: how much a receiver believes it can take in all (draft-alvestrand-rmcat-remb-03 §2.2).
@safe struct ReceiverEstimatedMaximumBitrate {
    /// "REMB".
    private static let identifier: UInt32 = 0x5245_4D42

    let senderSSRC: SSRC
    /// In bits per second, of all streams in the list together.
    let bitrate: UInt64
    /// 0…255.
    let sourceCount: Int
    private let sources: UnsafeRawBufferPointer

    /// - Throws: `unexpectedType` for another application's feedback, `malformed` for a bitrate beyond 64 bits.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.applicationLayer)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        guard try reader.readUInt32() == Self.identifier else { throw .unexpectedType }
        sourceCount = Int(try reader.readUInt8())
        let encoded = try reader.readUInt24()
        let exponent = UInt64(encoded >> 18)
        let mantissa = UInt64(encoded & 0x3FFFF)
        guard mantissa == 0 || exponent <= UInt64(mantissa.leadingZeroBitCount) else { throw .malformed }
        bitrate = mantissa << exponent
        unsafe sources = try unsafe reader.readBytes(4 * sourceCount)
    }

    /// - Parameter index: 0..<`sourceCount`.
    func source(at index: Int) -> SSRC? {
        guard (0..<sourceCount).contains(index) else { return nil }
        return unsafe SSRC(sources.uint32(provenAt: 4 * index))
    }

    /// - Parameters:
    ///   - bitrate: in bits per second; 18 significant bits are kept, the rest is rounded down.
    ///   - sources: at most 255.
    static func write(
        senderSSRC: SSRC, bitrate: UInt64, sources: [SSRC], into writer: inout ByteWriter
    ) throws(WireError) {
        guard let count = UInt8(exactly: sources.count) else { throw .tooLarge }
        let exponent = UInt64(max(0, 64 - bitrate.leadingZeroBitCount - 18))
        let encoded = UInt32(truncatingIfNeeded: exponent << 18 | bitrate >> exponent)
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.payloadFeedback, count: Int(RTCPFeedbackFormat.applicationLayer))
            try writer.writeUInt32(senderSSRC.rawValue)
            try writer.writeUInt32(0)
            try writer.writeUInt32(identifier)
            try writer.writeUInt8(count)
            try writer.writeUInt24(encoded)
            for source in sources { try writer.writeUInt32(source.rawValue) }
            try writer.endRTCP(start)
        }
    }
}
