/// What a shard needs to receive one producer's streams.
public struct ProducerSettings: Sendable {
    /// Audio or video.
    public var kind: MediaKind
    /// The media section the client sends it in, by which its streams may be learned.
    public var mid: String?
    /// The sender's canonical name (RFC 3550 §6.5.1).
    public var cname: String
    /// The codecs, preferred first.
    public var codecs: [ProducerCodec]
    /// The encodings, in the client's order.
    public var encodings: [ProducerEncoding]
    /// The client's numbers for header extensions.
    public var headerExtensions: HeaderExtensionIDs
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Further key frame requests within this time of one are merged into one at its end; zero disables the hold-off.
    public var keyFrameRequestDelay: MediaDuration
    /// The layers of each encoding.
    public var scalability = ScalabilitySettings()

    /// Settings.
    public init(
        kind: MediaKind, mid: String?, cname: String, codecs: [ProducerCodec], encodings: [ProducerEncoding],
        headerExtensions: HeaderExtensionIDs, isPaused: Bool = false, keyFrameRequestDelay: MediaDuration = .zero
    ) {
        self.kind = kind
        self.mid = mid
        self.cname = cname
        self.codecs = codecs
        self.encodings = encodings
        self.headerExtensions = headerExtensions
        self.isPaused = isPaused
        self.keyFrameRequestDelay = keyFrameRequestDelay
    }
}
