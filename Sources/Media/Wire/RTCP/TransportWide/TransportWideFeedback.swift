// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// Transport-wide congestion control feedback, read in place
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): when each packet of a run of sequence numbers arrived.
@safe struct TransportWideFeedback {
    /// At most this many packets are accepted in one feedback: a quarter of the circle, a second of 100 Mb/s.
    static let maximumPackets = 16_384

    let senderSSRC: SSRC
    let mediaSSRC: SSRC
    let baseSequence: SequenceNumber
    /// How many sequence numbers from `baseSequence` on are reported.
    let packetCount: Int
    /// In units of 64 ms, 24 bits signed, on a circle.
    let referenceTime: Int32
    let feedbackCount: UInt8
    private let chunks: UnsafeRawBufferPointer
    private let deltas: UnsafeRawBufferPointer

    /// Checks the whole packet, so that reading the packets cannot fail.
    /// - Throws: `truncated`, `malformed` (no packet, reserved symbol), `tooLarge` beyond `maximumPackets`.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.transportFeedback, format: RTCPFeedbackFormat.transportWide)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        baseSequence = SequenceNumber(try reader.readUInt16())
        packetCount = Int(try reader.readUInt16())
        referenceTime = Int32(bitPattern: try reader.readUInt24() << 8) >> 8
        feedbackCount = try reader.readUInt8()
        guard packetCount > 0 else { throw .malformed }
        guard packetCount <= Self.maximumPackets else { throw .tooLarge }
        let start = reader.offset
        var left = packetCount
        var deltaLength = 0
        while left > 0 {
            let chunk = TransportWideChunk(encoded: try reader.readUInt16())
            let count = min(left, chunk.count)
            // A run of zero packets would make no progress; nobody sends it.
            guard count > 0 else { throw .malformed }
            deltaLength += try chunk.deltaLength(of: count)
            left -= count
        }
        guard let chunks = unsafe packet.payload.view(from: start, count: reader.offset - start) else {
            throw .truncated
        }
        unsafe self.chunks = chunks
        unsafe deltas = try unsafe reader.readBytes(deltaLength)
    }

    /// The RTCP packet that this was parsed from, but for its padding.
    var packet: [UInt8] {
        var fields = SnapshotWriter()
        func bigEndian(_ value: UInt32, of count: UInt32) {
            for byte in (0..<count).reversed() { fields.writeUInt8(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
        }
        let length = unsafe 20 + chunks.count + deltas.count
        let padding = (4 - length % 4) % 4
        fields.writeUInt8(0x80 | RTCPFeedbackFormat.transportWide)
        fields.writeUInt8(RTCPPacketType.transportFeedback.rawValue)
        bigEndian(UInt32(truncatingIfNeeded: (length + padding) / 4 - 1), of: 2)
        bigEndian(senderSSRC.rawValue, of: 4)
        bigEndian(mediaSSRC.rawValue, of: 4)
        bigEndian(UInt32(baseSequence.rawValue), of: 2)
        bigEndian(UInt32(truncatingIfNeeded: packetCount), of: 2)
        bigEndian(UInt32(bitPattern: referenceTime), of: 3)
        fields.writeUInt8(feedbackCount)
        unsafe fields.writeBytes(Array(chunks))
        unsafe fields.writeBytes(Array(deltas))
        fields.writeBytes([UInt8](repeating: 0, count: padding))
        return fields.bytes
    }

    /// Each reported packet in the order of sequence numbers.
    var packets: TransportWidePackets {
        unsafe TransportWidePackets(
            chunks: ByteReader(chunks), deltas: ByteReader(deltas), baseSequence: baseSequence, left: packetCount)
    }
}
