// Safe: the buffer is only read through views and loads whose bounds were checked, while the caller keeps it alive.

/// A STUN message (RFC 8489 §5), read in place: the attributes ICE needs, and where the checked parts lie.
///
/// It refers to the buffer it was parsed from and must not outlive it.
@safe struct STUNMessage {
    static let magicCookie: UInt32 = 0x2112_A442
    static let headerLength = 20
    static let bindingMethod: UInt16 = 1
    /// At most this many attributes are read; ICE uses about ten.
    static let maximumAttributes = 64

    let bytes: UnsafeRawBufferPointer
    let messageClass: STUNClass
    let method: UInt16
    let transactionID: STUNTransactionID

    private(set) var username: UnsafeRawBufferPointer?
    private(set) var software: UnsafeRawBufferPointer?
    private(set) var priority: UInt32?
    private(set) var hasUseCandidate = false
    /// The tiebreaker of ICE-CONTROLLING.
    private(set) var controlling: UInt64?
    /// The tiebreaker of ICE-CONTROLLED.
    private(set) var controlled: UInt64?
    private(set) var nomination: UInt32?
    private(set) var xorMappedAddress: IPAddressPort?
    /// 300…699.
    private(set) var errorCode: UInt16?
    /// The offset of the MESSAGE-INTEGRITY attribute, type and length included.
    private(set) var messageIntegrityOffset: Int?
    /// Whether there is a FINGERPRINT; one that does not match is an error of parsing.
    private(set) var hasFingerprint = false
    private(set) var unknownRequired = STUNUnknownAttributes()

    /// - Throws: `truncated`, `malformed` (also for a wrong FINGERPRINT), `unexpectedType` without the magic cookie,
    ///   `tooLarge` for more than `maximumAttributes` attributes.
    init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count >= Self.headerLength else { throw .truncated }
        let type = unsafe bytes.uint16(provenAt: 0)
        // The two most significant bits are zero, and the cookie is fixed (RFC 8489 §5).
        guard type >> 14 == 0, unsafe bytes.uint32(provenAt: 4) == Self.magicCookie else { throw .unexpectedType }
        let length = unsafe Int(bytes.uint16(provenAt: 2))
        guard length % 4 == 0 else { throw .malformed }
        guard bytes.count >= Self.headerLength + length else { throw .truncated }
        guard bytes.count == Self.headerLength + length else { throw .malformed }
        unsafe self.bytes = bytes
        // RFC 8489 §5: M11…M7 C1 M6…M4 C0 M3…M0.
        messageClass = STUNClass(rawValue: UInt8(type >> 7 & 2 | type >> 4 & 1)) ?? .request
        method = type & 0x000F | type >> 1 & 0x0070 | type >> 2 & 0x0F80
        transactionID = unsafe STUNTransactionID(
            high: UInt64(bytes.uint32(provenAt: 8)) << 32 | UInt64(bytes.uint32(provenAt: 12)),
            low: bytes.uint32(provenAt: 16))
        try parseAttributes()
    }

    private mutating func parseAttributes() throws(WireError) {
        var attributes = unsafe STUNAttributeIterator(bytes)
        var count = 0
        while let attribute = try attributes.next() {
            count += 1
            guard count <= Self.maximumAttributes else { throw .tooLarge }
            // FINGERPRINT must be last (RFC 8489 §14.7).
            guard !hasFingerprint else { throw .malformed }
            if attribute.type == .fingerprint {
                try checkFingerprint(attribute)
            } else if messageIntegrityOffset == nil {
                // What follows MESSAGE-INTEGRITY is not authenticated and must be ignored (RFC 8489 §14.5).
                try read(attribute)
            }
        }
    }

    private mutating func read(_ attribute: STUNAttributeIterator.Element) throws(WireError) {
        var value = unsafe ByteReader(attribute.value)
        switch attribute.type {
        case .username:
            // RFC 8489 §14.3.
            guard unsafe attribute.value.count <= 512 else { throw .malformed }
            unsafe username = attribute.value
        case .software: unsafe software = unsafe attribute.value
        case .priority: priority = try value.readUInt32()
        case .useCandidate: hasUseCandidate = true
        case .iceControlling: controlling = try value.readUInt64()
        case .iceControlled: controlled = try value.readUInt64()
        case .nomination: nomination = try value.readUInt32()
        case .xorMappedAddress: xorMappedAddress = try xorAddress(&value)
        case .errorCode:
            let code = try value.readUInt32()
            guard (3...6).contains(code >> 8 & 7), code & 0xFF < 100 else { throw .malformed }
            errorCode = UInt16((code >> 8 & 7) * 100 + code & 0xFF)
        case .messageIntegrity:
            guard unsafe attribute.value.count == SHA1.digestLength else { throw .malformed }
            messageIntegrityOffset = attribute.offset
        case .mappedAddress, .unknownAttributes, .realm, .nonce, .messageIntegritySHA256: break
        default:
            if attribute.type.isComprehensionRequired { unknownRequired.append(attribute.type.rawValue) }
        }
    }

    private mutating func checkFingerprint(_ attribute: STUNAttributeIterator.Element) throws(WireError) {
        guard unsafe attribute.value.count == 4, let covered = unsafe bytes.view(from: 0, count: attribute.offset)
        else {
            throw .malformed
        }
        guard unsafe attribute.value.uint32(provenAt: 0) == CRC32.checksum(covered) ^ Self.fingerprintMask else {
            throw .malformed
        }
        hasFingerprint = true
    }

    /// RFC 8489 §14.7.
    static let fingerprintMask: UInt32 = 0x5354_554E

    /// RFC 8489 §14.2.
    func xorAddress(_ value: inout ByteReader) throws(WireError) -> IPAddressPort {
        try value.skip(1)
        let family = try value.readUInt8()
        let port = try value.readUInt16() ^ UInt16(Self.magicCookie >> 16)
        switch family {
        case IPAddressPort.Family.ipv4.rawValue:
            return IPAddressPort(ipv4: try value.readUInt32() ^ Self.magicCookie, port: port)
        case IPAddressPort.Family.ipv6.rawValue:
            let mask = transactionID.addressMask
            return IPAddressPort(
                ipv6High: try value.readUInt64() ^ mask.high, low: try value.readUInt64() ^ mask.low, port: port)
        default: throw .malformed
        }
    }

    /// Whether MESSAGE-INTEGRITY is present and made with `key` (RFC 8489 §14.5).
    func isAuthenticated(by key: HMACSHA1Key) -> Bool {
        guard let offset = messageIntegrityOffset,
            let code = unsafe bytes.view(from: offset + 4, count: SHA1.digestLength)
        else { return false }
        return unsafe key.integrity(ofMessage: bytes, integrityOffset: offset).matches(code)
    }
}

extension STUNTransactionID {
    /// What an IPv6 address is combined with: the cookie and the transaction id (RFC 8489 §14.2).
    var addressMask: (high: UInt64, low: UInt64) {
        (UInt64(STUNMessage.magicCookie) << 32 | high >> 32, high << 32 | UInt64(low))
    }
}

extension HMACSHA1Key {
    /// The value of a MESSAGE-INTEGRITY attribute at `integrityOffset`: it covers what precedes it, with the header's
    /// length counted up to the attribute's end (RFC 8489 §14.5).
    func integrity(ofMessage bytes: UnsafeRawBufferPointer, integrityOffset: Int) -> SHA1Digest {
        var hash = begin()
        guard integrityOffset >= STUNMessage.headerLength, let type = unsafe bytes.view(from: 0, count: 2),
            let rest = unsafe bytes.view(4..<integrityOffset)
        else { return finish(hash) }
        let length = UInt16(truncatingIfNeeded: integrityOffset - STUNMessage.headerLength + 4 + SHA1.digestLength)
        unsafe hash.update(type)
        hash.update(UInt8(length >> 8))
        hash.update(UInt8(length & 0xFF))
        unsafe hash.update(rest)
        return finish(hash)
    }
}
