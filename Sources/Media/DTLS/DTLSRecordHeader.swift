// Safe: `init` compares the length with the header's before it reads.

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
