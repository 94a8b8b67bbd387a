/// A protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2), named as in the IANA registry's short form.
public enum SRTPProfile: String, Sendable, Hashable, CaseIterable {
    case aeadAES128GCM = "AEAD_AES_128_GCM"
    case aeadAES256GCM = "AEAD_AES_256_GCM"
    case aes128CMHMACSHA1x80 = "AES_CM_128_HMAC_SHA1_80"
    case aes128CMHMACSHA1x32 = "AES_CM_128_HMAC_SHA1_32"

    /// The master key's (and session encryption key's) length in bytes.
    public var keyLength: Int { self == .aeadAES256GCM ? 32 : 16 }

    /// The master salt's length in bytes: 96 bits for GCM (RFC 7714 §12), 112 for counter mode (RFC 3711 §8.2).
    public var saltLength: Int { isAEAD ? 12 : 14 }

    /// What an SRTP packet is longer than its RTP packet, in bytes.
    public var tagLength: Int {
        switch self {
        case .aeadAES128GCM, .aeadAES256GCM: 16
        case .aes128CMHMACSHA1x80: 10
        case .aes128CMHMACSHA1x32: 4
        }
    }

    /// The authentication tag of SRTCP in bytes; 80 bits also for the profile with 32 (RFC 5764 §4.1.2).
    public var rtcpTagLength: Int { isAEAD ? 16 : 10 }

    /// What an SRTCP packet is longer than its RTCP packet, in bytes: the tag, the E flag and the index.
    public var rtcpOverhead: Int { rtcpTagLength + 4 }

    /// Whether the cipher authenticates by itself.
    public var isAEAD: Bool { self == .aeadAES128GCM || self == .aeadAES256GCM }

    /// The profile's number in the use_srtp extension (RFC 5764 §4.1.2, RFC 7714 §14.2).
    package var identifier: UInt16 {
        switch self {
        case .aes128CMHMACSHA1x80: 0x0001
        case .aes128CMHMACSHA1x32: 0x0002
        case .aeadAES128GCM: 0x0007
        case .aeadAES256GCM: 0x0008
        }
    }

    package init?(identifier: UInt) {
        switch identifier {
        case 0x0001: self = .aes128CMHMACSHA1x80
        case 0x0002: self = .aes128CMHMACSHA1x32
        case 0x0007: self = .aeadAES128GCM
        case 0x0008: self = .aeadAES256GCM
        default: return nil
        }
    }
}
