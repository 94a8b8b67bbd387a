// Safe: the buffer is written through `ByteWriter`, which checks every bound.

/// Writes a STUN message behind what a `ByteWriter` holds already; attributes in the order of the calls.
///
/// MESSAGE-INTEGRITY comes after everything it protects, FINGERPRINT last (RFC 8489 §14.5, §14.7).
struct STUNMessageWriter {
    private var writer: ByteWriter
    private let start: Int
    private let transactionID: STUNTransactionID

    init(
        _ writer: ByteWriter, class messageClass: STUNClass, method: UInt16 = STUNMessage.bindingMethod,
        transactionID: STUNTransactionID
    ) throws(WireError) {
        self.writer = writer
        self.transactionID = transactionID
        start = writer.count
        let classBits = UInt16(messageClass.rawValue & 2) << 7 | UInt16(messageClass.rawValue & 1) << 4
        let methodBits = method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2
        try self.writer.writeUInt16(methodBits | classBits)
        try self.writer.writeUInt16(0)
        try self.writer.writeUInt32(STUNMessage.magicCookie)
        try self.writer.writeUInt64(transactionID.high)
        try self.writer.writeUInt32(transactionID.low)
    }

    /// The writer with the whole message in it.
    consuming func finish() -> ByteWriter { writer }

    mutating func append(_ type: STUNAttributeType, _ value: UnsafeRawBufferPointer) throws(WireError) {
        try beginAttribute(type, length: value.count)
        try unsafe writer.writeBytes(value)
        try endAttribute()
    }

    mutating func append(_ type: STUNAttributeType, text: String) throws(WireError) {
        try beginAttribute(type, length: text.utf8.count)
        try writer.writeText(text)
        try endAttribute()
    }

    mutating func append(_ type: STUNAttributeType, uint32 value: UInt32) throws(WireError) {
        try beginAttribute(type, length: 4)
        try writer.writeUInt32(value)
        try endAttribute()
    }

    mutating func append(_ type: STUNAttributeType, uint64 value: UInt64) throws(WireError) {
        try beginAttribute(type, length: 8)
        try writer.writeUInt64(value)
        try endAttribute()
    }

    /// Appends an attribute without a value, such as USE-CANDIDATE.
    mutating func appendFlag(_ type: STUNAttributeType) throws(WireError) {
        try beginAttribute(type, length: 0)
        try endAttribute()
    }

    mutating func appendXORMappedAddress(_ address: IPAddressPort) throws(WireError) {
        try appendXORAddress(.xorMappedAddress, address)
    }

    mutating func appendXORAddress(_ type: STUNAttributeType, _ address: IPAddressPort) throws(WireError) {
        try beginAttribute(type, length: address.family == .ipv4 ? 8 : 20)
        try writer.writeUInt8(0)
        try writer.writeUInt8(address.family.rawValue)
        try writer.writeUInt16(address.port ^ UInt16(STUNMessage.magicCookie >> 16))
        switch address.family {
        case .ipv4: try writer.writeUInt32(address.ipv4 ^ STUNMessage.magicCookie)
        case .ipv6:
            let mask = transactionID.addressMask
            try writer.writeUInt64(address.high ^ mask.high)
            try writer.writeUInt64(address.low ^ mask.low)
        }
        try endAttribute()
    }

    /// - Parameter code: 300…699 (RFC 8489 §14.8).
    mutating func appendErrorCode(_ code: UInt16, reason: String) throws(WireError) {
        guard (300...699).contains(code) else { throw .malformed }
        try beginAttribute(.errorCode, length: 4 + reason.utf8.count)
        try writer.writeUInt32(UInt32(code / 100) << 8 | UInt32(code % 100))
        try writer.writeText(reason)
        try endAttribute()
    }

    mutating func appendUnknownAttributes(_ unknown: STUNUnknownAttributes) throws(WireError) {
        try beginAttribute(.unknownAttributes, length: 2 * unknown.count)
        for index in 0..<unknown.count { try writer.writeUInt16(unknown[index]) }
        try endAttribute()
    }

    mutating func appendMessageIntegrity(_ key: HMACSHA1Key) throws(WireError) {
        let offset = writer.count - start
        guard let message = unsafe writer.written.view(from: start, count: offset) else { throw .malformed }
        let digest = unsafe key.integrity(ofMessage: message, integrityOffset: offset)
        try beginAttribute(.messageIntegrity, length: SHA1.digestLength)
        for index in 0..<SHA1.digestLength { try writer.writeUInt8(digest[index]) }
        try endAttribute()
    }

    mutating func appendFingerprint() throws(WireError) {
        let offset = writer.count - start
        // The checksum covers the header with its final length.
        try setLength(offset - STUNMessage.headerLength + 8)
        guard let message = unsafe writer.written.view(from: start, count: offset) else { throw .malformed }
        try unsafe append(.fingerprint, uint32: CRC32.checksum(message) ^ STUNMessage.fingerprintMask)
    }

    private mutating func beginAttribute(_ type: STUNAttributeType, length: Int) throws(WireError) {
        guard let length = UInt16(exactly: length) else { throw .tooLarge }
        try writer.writeUInt16(type.rawValue)
        try writer.writeUInt16(length)
    }

    private mutating func endAttribute() throws(WireError) {
        try writer.writeZeros((4 - (writer.count - start) % 4) % 4)
        try setLength(writer.count - start - STUNMessage.headerLength)
    }

    private mutating func setLength(_ length: Int) throws(WireError) {
        guard let length = UInt16(exactly: length) else { throw .tooLarge }
        try writer.overwriteUInt16(length, at: start + 2)
    }
}
