public import RoundhouseMedia

/// A codec an endpoint can receive.
public struct RTPCodecCapability: Sendable, Hashable {
    /// Audio or video, as the MIME type says.
    public var kind: MediaKind
    /// `audio/opus`, `video/VP8`, …; compared without regard to case.
    public var mimeType: String
    /// 0…127; the router chooses one if it is `nil`.
    public var preferredPayloadType: UInt8?
    /// In hertz.
    public var clockRate: UInt32
    /// Audio only; 1 if absent.
    public var channels: UInt8?
    /// The format parameters of SDP's `fmtp`.
    public var parameters: [String: CodecParameter]
    /// The feedback the endpoint understands.
    public var rtcpFeedback: [RTCPFeedback]

    /// A capability; audio without `channels` has one.
    public init(
        kind: MediaKind, mimeType: String, preferredPayloadType: UInt8? = nil, clockRate: UInt32,
        channels: UInt8? = nil, parameters: [String: CodecParameter] = [:], rtcpFeedback: [RTCPFeedback] = []
    ) {
        self.kind = kind
        self.mimeType = mimeType
        self.preferredPayloadType = preferredPayloadType
        self.clockRate = clockRate
        self.channels = kind == .audio ? channels ?? 1 : nil
        self.parameters = parameters
        self.rtcpFeedback = rtcpFeedback
    }
}
