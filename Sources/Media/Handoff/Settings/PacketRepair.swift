/// How a lost packet is sent again.
enum PacketRepair: Equatable {
    /// Not at all.
    case none
    /// Under its own number, and so under the same SRTP nonce: it must be the same bytes (RFC 7714 §8.1), and its header holds
    /// nothing that depends on when it is sent.
    case asItWas
    /// In a packet of the RTX stream, numbered there (RFC 4588).
    case rtx(payloadType: UInt8)
}
