// Safe: only the first byte is read, if there is one.

/// What forwarding needs to know of Opus payloads (RFC 6716 §3.1).
enum OpusPayload {
    /// Whether the packet only says that there is nothing to say: every frame it announces is empty.
    static func isDTX(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let first = unsafe payload.first else { return false }
        switch first & 0x03 {
        // One frame, or two of equal size, without a byte of data.
        case 0, 1: return payload.count == 1
        // Two frames, of which the first has a length byte.
        case 2: return payload.count == 2
        default: return false
        }
    }
}
