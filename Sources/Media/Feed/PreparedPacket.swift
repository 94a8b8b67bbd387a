/// A received packet ready for fan-out: what every consumer needs to know of it, beside its header template and payload.
///
/// The template is an RTP header in the router's payload type and extension ids with places left for what differs from
/// consumer to consumer, so that a consumer copies it and patches a few fields (`HeaderTemplate`).
struct PreparedPacket {
    /// `ProducerKey.rawValue`.
    var producer: UInt64
    /// The sender's sequence number, extended.
    var sequence: UInt64
    var timestamp: UInt32
    /// The header template's length in bytes.
    var headerLength: UInt16
    /// Padding included.
    var payloadLength: UInt16
    /// How much of the payload is RTP padding (RFC 3550 §5.1); its last byte says so too.
    var paddingLength: UInt8 = 0
    /// Index of the producer's encoding.
    var encoding: UInt8
    /// The router's payload type.
    var payloadType: UInt8
    var codec: CodecKind
    var isKeyFrame: Bool
    /// Carries nothing: consumers close the gap in their numbering.
    var isPaddingOnly: Bool
    /// What choosing layers needs to know.
    var layers = PacketLayers()
}
