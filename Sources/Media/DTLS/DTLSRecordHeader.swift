// Safe: `init` and `write` compare the length with the header's before they read and write.

/// The thirteen bytes before a record's fragment (RFC 6347 §4.1).
struct DTLSRecordHeader: Equatable {
    static let length = 13
    /// DTLS 1.2.
    static let version: UInt16 = 0xFEFD
    /// Sequence numbers have 48 bits and do not wrap (RFC 6347 §4.1).
    static let largestSequence: UInt64 = 0xFFFF_FFFF_FFFF

    /// The content type as it came.
    var type: UInt8
    var version: UInt16
    var epoch: UInt16
    var sequence: UInt64
    var fragmentLength: Int

    init(type: DTLSContentType, epoch: UInt16, sequence: UInt64, fragmentLength: Int) {
        self.type = type.rawValue
        version = Self.version
        self.epoch = epoch
        self.sequence = sequence
        self.fragmentLength = fragmentLength
    }

    /// Reads the header at an offset; `nil` when the bytes end before it does.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset <= bytes.count, bytes.count - offset >= Self.length else { return nil }
        type = unsafe bytes[offset]
        version = unsafe bytes.uint16(provenAt: offset + 1)
        epoch = unsafe bytes.uint16(provenAt: offset + 3)
        sequence = unsafe UInt64(bytes.uint16(provenAt: offset + 5)) << 32 | UInt64(bytes.uint32(provenAt: offset + 7))
        fragmentLength = unsafe Int(bytes.uint16(provenAt: offset + 11))
    }

    /// Epoch and sequence number as the 64 bits that are authenticated.
    var number: UInt64 { UInt64(epoch) << 48 | sequence }

    /// Writes the fields as they are authenticated (RFC 5246 §6.2.3.3): number, type, version, length.
    /// - Parameter output: of `length` bytes.
    func writeAuthenticated(to output: inout [UInt8]) {
        for position in 0..<8 { output[position] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * position)) }
        output[8] = type
        output[9] = UInt8(truncatingIfNeeded: version >> 8)
        output[10] = UInt8(truncatingIfNeeded: version)
        output[11] = UInt8(truncatingIfNeeded: fragmentLength >> 8)
        output[12] = UInt8(truncatingIfNeeded: fragmentLength)
    }

    /// Writes the header's bytes.
    /// - Parameter output: of `length` bytes at least.
    func write(to output: UnsafeMutableRawBufferPointer) {
        guard output.count >= Self.length else { return }
        unsafe output[0] = type
        unsafe output[1] = UInt8(truncatingIfNeeded: version >> 8)
        unsafe output[2] = UInt8(truncatingIfNeeded: version)
        for position in 0..<8 {
            unsafe output[3 + position] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * position))
        }
        unsafe output[11] = UInt8(truncatingIfNeeded: fragmentLength >> 8)
        unsafe output[12] = UInt8(truncatingIfNeeded: fragmentLength)
    }

    /// The header's bytes.
    var bytes: [UInt8] {
        var bytes = [type, UInt8(truncatingIfNeeded: version >> 8), UInt8(truncatingIfNeeded: version)]
        for shift in stride(from: 56 as UInt64, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        bytes.append(UInt8(truncatingIfNeeded: fragmentLength >> 8))
        bytes.append(UInt8(truncatingIfNeeded: fragmentLength))
        return bytes
    }
}
