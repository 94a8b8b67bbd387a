/// What a shard needs to send one consumer's stream.
public struct ConsumerSettings: Sendable {
    /// Audio or video.
    public var kind: MediaKind
    /// The media section on the client's side.
    public var mid: String?
    /// The CNAME of the sender report's SDES: the producer's (RFC 3550 §6.5.1).
    public var cname: String
    /// The codecs the client accepts, preferred first.
    public var codecs: [ConsumerCodec]
    /// The consumer's own SSRC.
    public var ssrc: SSRC
    /// The SSRC of its retransmissions.
    public var rtxSSRC: SSRC?
    /// The producer's encodings in order, by their mapped SSRCs; one of them is forwarded at a time.
    public var encodings: [SSRC]
    /// The router's extension ids that this consumer negotiated; zero for the rest.
    public var headerExtensions: HeaderExtensionIDs
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Whether its producer is paused.
    public var isProducerPaused: Bool
    /// What the numbers above become in the client's packets; `nil` where it takes the router's.
    public var numbering: ConsumerIDMapping?
    /// The layers of the producer's encodings.
    public var scalability = ScalabilitySettings()
    /// The layers to send at most; `nil` for all.
    public var preferredLayers: ConsumerLayers?
    /// Against the others of its transport, 1…255: who gets layers first where not all fit.
    public var priority: UInt8 = 1
    /// Opus packets of silence (DTX) are left out.
    public var ignoresDTX = false

    /// Settings.
    public init(
        kind: MediaKind, mid: String?, cname: String, codecs: [ConsumerCodec], ssrc: SSRC, rtxSSRC: SSRC?,
        encodings: [SSRC], headerExtensions: HeaderExtensionIDs, isPaused: Bool, isProducerPaused: Bool,
        numbering: ConsumerIDMapping? = nil
    ) {
        self.kind = kind
        self.mid = mid
        self.cname = cname
        self.codecs = codecs
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.encodings = encodings
        self.headerExtensions = headerExtensions
        self.isPaused = isPaused
        self.isProducerPaused = isProducerPaused
        self.numbering = numbering
    }
}
