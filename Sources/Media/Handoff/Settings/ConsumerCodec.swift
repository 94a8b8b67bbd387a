/// One codec a consumer accepts, in the router's payload types.
public struct ConsumerCodec: Sendable, Hashable {
    /// What the payload is.
    public var codec: CodecKind
    /// RTP timestamp units a second.
    public var clockRate: UInt32
    /// The number in RTP headers.
    public var payloadType: UInt8
    /// The RTX number for it; `nil` where RTX was not negotiated.
    public var rtxPayloadType: UInt8?
    /// What may be asked of the sender.
    public var feedback: FeedbackSupport

    /// A codec.
    public init(
        codec: CodecKind, clockRate: UInt32, payloadType: UInt8, rtxPayloadType: UInt8? = nil,
        feedback: FeedbackSupport = []
    ) {
        self.codec = codec
        self.clockRate = clockRate
        self.payloadType = payloadType
        self.rtxPayloadType = rtxPayloadType
        self.feedback = feedback
    }

    /// How a lost packet of this codec is sent again.
    /// - Parameter hasRTX: whether the consumer has an SSRC for retransmissions.
    func repair(hasRTX: Bool) -> PacketRepair {
        if hasRTX, let rtxPayloadType { return .rtx(payloadType: rtxPayloadType) }
        return feedback.contains(.nack) ? .asItWas : .none
    }
}
