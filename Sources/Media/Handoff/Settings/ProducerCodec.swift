/// One media codec of a producer: the payload type the client sends and the one the router uses for it.
public struct ProducerCodec: Sendable, Hashable {
    /// What the payload is.
    public var codec: CodecKind
    /// RTP timestamp units a second.
    public var clockRate: UInt32
    /// The number in RTP headers.
    public var payloadType: UInt8
    /// The router's number for it.
    public var mappedPayloadType: UInt8
    /// The client's RTX payload type for this codec and the router's; `nil` where RTX was not negotiated.
    public var rtxPayloadType: UInt8?
    /// The router's RTX number for it.
    public var mappedRTXPayloadType: UInt8?
    /// What may be asked of the sender.
    public var feedback: FeedbackSupport
    /// Opus with `useinbandfec=1` (RFC 7587 §6.1): its sender gets the loss of its worst receiver reported.
    public var usesInBandFEC = false

    /// A codec.
    public init(
        codec: CodecKind, clockRate: UInt32, payloadType: UInt8, mappedPayloadType: UInt8,
        rtxPayloadType: UInt8? = nil, mappedRTXPayloadType: UInt8? = nil, feedback: FeedbackSupport = []
    ) {
        self.codec = codec
        self.clockRate = clockRate
        self.payloadType = payloadType
        self.mappedPayloadType = mappedPayloadType
        self.rtxPayloadType = rtxPayloadType
        self.mappedRTXPayloadType = mappedRTXPayloadType
        self.feedback = feedback
    }
}
