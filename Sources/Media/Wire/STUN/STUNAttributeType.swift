/// STUN attribute types that this server knows (RFC 8489 §18.3, RFC 8445 §16.1, RFC 8656 §18).
struct STUNAttributeType: Hashable, Sendable {
    let rawValue: UInt16

    static let mappedAddress = STUNAttributeType(rawValue: 0x0001)
    static let username = STUNAttributeType(rawValue: 0x0006)
    static let messageIntegrity = STUNAttributeType(rawValue: 0x0008)
    static let errorCode = STUNAttributeType(rawValue: 0x0009)
    static let unknownAttributes = STUNAttributeType(rawValue: 0x000A)
    static let channelNumber = STUNAttributeType(rawValue: 0x000C)
    static let lifetime = STUNAttributeType(rawValue: 0x000D)
    static let xorPeerAddress = STUNAttributeType(rawValue: 0x0012)
    static let data = STUNAttributeType(rawValue: 0x0013)
    static let realm = STUNAttributeType(rawValue: 0x0014)
    static let nonce = STUNAttributeType(rawValue: 0x0015)
    static let xorRelayedAddress = STUNAttributeType(rawValue: 0x0016)
    static let requestedAddressFamily = STUNAttributeType(rawValue: 0x0017)
    static let evenPort = STUNAttributeType(rawValue: 0x0018)
    static let requestedTransport = STUNAttributeType(rawValue: 0x0019)
    static let messageIntegritySHA256 = STUNAttributeType(rawValue: 0x001C)
    static let xorMappedAddress = STUNAttributeType(rawValue: 0x0020)
    static let reservationToken = STUNAttributeType(rawValue: 0x0022)
    static let priority = STUNAttributeType(rawValue: 0x0024)
    static let useCandidate = STUNAttributeType(rawValue: 0x0025)
    static let additionalAddressFamily = STUNAttributeType(rawValue: 0x8000)
    static let software = STUNAttributeType(rawValue: 0x8022)
    static let fingerprint = STUNAttributeType(rawValue: 0x8028)
    static let iceControlled = STUNAttributeType(rawValue: 0x8029)
    static let iceControlling = STUNAttributeType(rawValue: 0x802A)
    /// draft-thatcher-ice-renomination-01, with the number libwebrtc gives it.
    static let nomination = STUNAttributeType(rawValue: 0xC001)

    /// Whether a request with this attribute must be refused by who does not know it (RFC 8489 §14).
    var isComprehensionRequired: Bool { rawValue < 0x8000 }
}
