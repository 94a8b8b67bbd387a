// Safe: bytes are read behind a test of the length.

/// What forwarding needs to know of AV1 payloads (RTP Payload Format for AV1 §4.4).
enum AV1Payload {
    /// Whether the aggregation header says that a new coded video sequence starts (N), which is a key frame.
    static func isKeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count >= 2 else { return false }
        // N with Z, a continued unit, contradicts itself.
        return unsafe payload[0] & 0x08 != 0 && payload[0] & 0x80 == 0
    }
}
