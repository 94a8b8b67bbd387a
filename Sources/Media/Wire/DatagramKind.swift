// Safe: each byte is read behind a test of the length.

/// Which protocol a datagram belongs to, by its first bytes (RFC 7983 §7, RFC 5761 §4).
enum DatagramKind: Sendable, Hashable {
    case stun, dtls, rtp, rtcp, unknown

    /// Classifies by the cheapest tests that tell the protocols apart; the parsers check the rest.
    static func classify(_ datagram: UnsafeRawBufferPointer) -> DatagramKind {
        guard let first = unsafe datagram.first else { return .unknown }
        switch first {
        case 0..<3:
            // RFC 8489 §5: the magic cookie tells STUN from anything else that starts with two zero bits.
            guard datagram.count >= 20, unsafe datagram.uint32(provenAt: 4) == STUNMessage.magicCookie else {
                return .unknown
            }
            return .stun
        case 20...63:
            // A DTLS record header has 13 bytes (RFC 6347 §4.1).
            return datagram.count >= 13 ? .dtls : .unknown
        case 128...191:
            guard datagram.count >= 4 else { return .unknown }
            // RFC 5761 §4: RTP with these payload types and the marker bit is never negotiated beside RTCP.
            if unsafe (192...223).contains(datagram[1]) { return .rtcp }
            return datagram.count >= RTPHeader.fixedLength ? .rtp : .unknown
        default:
            return .unknown
        }
    }
}
