import CChecksum

// Safe: the C functions read `count` bytes from a buffer that lives for the call.

/// The checksum of SCTP packets (RFC 9260 Appendix A): the reflected polynomial 0x82F63B78, all ones before and after.
struct CRC32C {
    private var value = UInt32.max

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = unsafe cck_crc32c(value, bytes.baseAddress, bytes.count)
    }

    /// Takes the zeros in whose place a packet carries its checksum.
    mutating func updateWithZeros() {
        let zeros: UInt32 = 0
        value = unsafe withUnsafeBytes(of: zeros) { unsafe cck_crc32c(value, $0.baseAddress, $0.count) }
    }

    /// The checksum of all that was taken.
    var checksum: UInt32 { ~value }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var sum = CRC32C()
        unsafe sum.update(bytes)
        return sum.checksum
    }

    /// The same without the processor's instruction.
    static func portableChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        ~(unsafe cck_crc32c_portable(.max, bytes.baseAddress, bytes.count))
    }
}
