/// One traced packet.
public struct TraceEvent: Sendable, Hashable {
    /// Whose packet.
    public enum Subject: Sendable, Hashable {
        /// Received by a producer, or asked of it.
        case producer(ProducerKey)
        /// Sent to a consumer, or asked by it.
        case consumer(ConsumerKey)
    }

    /// Whose packet it is.
    public var subject: Subject
    /// Exactly one kind.
    public var kind: TraceKinds
    /// When.
    public var time: MediaInstant
    /// Whether the server received it; else the server sent it.
    public var isIncoming: Bool
    /// The stream, with its SSRC on that side.
    public var ssrc: SSRC
    /// The RTP payload type; this and what follows is of `rtp` and `keyFrame` only.
    public var payloadType: UInt8 = 0
    /// The RTP sequence number.
    public var sequence: UInt16 = 0
    /// The RTP timestamp.
    public var timestamp: UInt32 = 0
    /// Bytes of the RTP packet.
    public var size: Int = 0
    /// The RTP marker.
    public var hasMarker = false
    /// Whether it is a retransmission (RFC 4588).
    public var isRTX = false

    /// An event of a packet that is no RTP packet.
    public init(subject: Subject, kind: TraceKinds, time: MediaInstant, isIncoming: Bool, ssrc: SSRC) {
        self.subject = subject
        self.kind = kind
        self.time = time
        self.isIncoming = isIncoming
        self.ssrc = ssrc
    }
}
