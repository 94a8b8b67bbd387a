/// A packet that a consumer is to be sent: what its header says, and what becomes of the payload that was received.
struct OutgoingPacket: Equatable {
    var ssrc: UInt32
    /// The extended sequence number: SRTP's packet index (RFC 3711 §3.3.1).
    var index: UInt64
    var timestamp: UInt32
    /// The router's payload type.
    var payloadType: UInt8
    var hasMarker: Bool
    /// Nothing but padding goes in place of the payload.
    var isPaddingOnly = false
    /// How much padding that is, its last byte included (RFC 3550 §5.1): 1…255.
    var paddingLength: UInt8 = 1
    /// What the payload's picture is numbered for this consumer; `nil` where it keeps its numbers.
    var pictureIDs: PictureIDRewriter.Rewritten?
    /// Of a retransmission as RTX: the number of the packet it repeats (RFC 4588 §4).
    var originalSequence: UInt16?
}
