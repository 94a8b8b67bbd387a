// Safe: bytes are read through `ByteReader`, or behind a test of the length.

/// What forwarding needs to know of H.265 payloads (RFC 7798 §4.4).
enum H265Payload {
    private static let aggregationPacket: UInt8 = 48
    private static let fragmentationUnit: UInt8 = 49

    /// Whether the packet starts a key frame: it holds, or begins, a random access picture, or a video or sequence
    /// parameter set.
    static func isKeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        // The unit header has two bytes (RFC 7798 §1.1.4).
        guard payload.count >= 2 else { return false }
        switch unsafe unitType(payload[0]) {
        case aggregationPacket: return unsafe aggregateStartsKeyFrame(payload)
        case fragmentationUnit:
            // RFC 7798 §4.4.3: S marks the first fragment, the type has six bits.
            guard payload.count >= 3 else { return false }
            return unsafe payload[2] & 0x80 != 0 && startsKeyFrame(payload[2] & 0x3F)
        case let type: return startsKeyFrame(type)
        }
    }

    private static func unitType(_ header: UInt8) -> UInt8 { header >> 1 & 0x3F }

    /// IRAP pictures that exist are 16…21 (H.265 table 7-1), VPS is 32, SPS 33.
    private static func startsKeyFrame(_ type: UInt8) -> Bool { (16...21).contains(type) || type == 32 || type == 33 }

    /// RFC 7798 §4.4.2, without the decoding order numbers that no WebRTC endpoint negotiates.
    private static func aggregateStartsKeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        var reader = unsafe ByteReader(payload)
        guard (try? reader.skip(2)) != nil else { return false }
        while let size = try? reader.readUInt16() {
            guard let unit = try? unsafe reader.readBytes(Int(size)), unit.count >= 2 else { return false }
            if unsafe startsKeyFrame(unitType(unit[0])) { return true }
        }
        return false
    }

    /// The packet's temporal layer, 0…6; an aggregate has its lowest (RFC 7798 §4.4.2). `nil` for a payload that makes
    /// no sense.
    static func temporalLayer(_ payload: UnsafeRawBufferPointer) -> UInt8? {
        guard payload.count >= 2 else { return nil }
        let plusOne = unsafe payload[1] & 0x07
        return plusOne == 0 ? nil : plusOne - 1
    }

    /// Whether a receiver of the layer below may begin to take this picture's layer: a temporal sub-layer access or
    /// step-wise access picture, types 2…5 (H.265 table 7-1).
    static func isTemporalSwitchPoint(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count >= 3 else { return false }
        let type = unsafe unitType(payload[0])
        return unsafe (2...5).contains(type == fragmentationUnit ? payload[2] & 0x3F : type)
    }
}
