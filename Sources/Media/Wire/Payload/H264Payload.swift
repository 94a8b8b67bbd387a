// Safe: bytes are read through `ByteReader`, or behind a test of the length.

/// What forwarding needs to know of H.264 payloads (RFC 6184 §5).
enum H264Payload {
    private enum UnitType {
        static let sequenceParameterSet: UInt8 = 7
        static let singleTimeAggregation: UInt8 = 24
        static let fragmentA: UInt8 = 28
        static let fragmentB: UInt8 = 29
    }

    /// Whether the packet starts a key frame: it holds, or begins, a sequence parameter set.
    ///
    /// The parameter set comes before every IDR picture that a decoder may begin with; the picture alone would not do.
    static func isKeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let header = unsafe payload.first else { return false }
        switch header & 0x1F {
        case UnitType.sequenceParameterSet: return true
        case UnitType.singleTimeAggregation: return unsafe aggregateHasParameterSet(payload)
        case UnitType.fragmentA, UnitType.fragmentB:
            // RFC 6184 §5.8: S marks the first fragment.
            guard payload.count >= 2 else { return false }
            return unsafe payload[1] & 0x80 != 0 && payload[1] & 0x1F == UnitType.sequenceParameterSet
        default: return false
        }
    }

    /// RFC 6184 §5.7.1: 16-bit sizes with units behind them.
    private static func aggregateHasParameterSet(_ payload: UnsafeRawBufferPointer) -> Bool {
        var reader = unsafe ByteReader(payload)
        guard (try? reader.skip(1)) != nil else { return false }
        while let size = try? reader.readUInt16() {
            guard let unit = try? unsafe reader.readBytes(Int(size)), let header = unsafe unit.first else {
                return false
            }
            if header & 0x1F == UnitType.sequenceParameterSet { return true }
        }
        return false
    }
}
