/// A codec that is sent.
public struct RTPCodecParameters: Sendable, Hashable {
    /// `audio/opus`, `video/VP8`, …; compared without regard to case.
    public var mimeType: String
    /// 0…127.
    public var payloadType: UInt8
    /// In hertz.
    public var clockRate: UInt32
    /// Audio only; 1 if absent.
    public var channels: UInt8?
    /// The format parameters of SDP's `fmtp`.
    public var parameters: [String: CodecParameter]
    /// The feedback the receiver may send.
    public var rtcpFeedback: [RTCPFeedback]

    /// A codec; audio without `channels` has one.
    public init(
        mimeType: String, payloadType: UInt8, clockRate: UInt32, channels: UInt8? = nil,
        parameters: [String: CodecParameter] = [:], rtcpFeedback: [RTCPFeedback] = []
    ) {
        self.mimeType = mimeType
        self.payloadType = payloadType
        self.clockRate = clockRate
        self.channels = mimeType.lowercased().hasPrefix("audio/") ? channels ?? 1 : nil
        self.parameters = parameters
        self.rtcpFeedback = rtcpFeedback
    }
}
