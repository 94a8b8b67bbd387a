/// What a consumer needs to know of the producer it is pointed at.
public struct SourceSettings: Sendable, Hashable {
    /// The producer's encodings in order, by their mapped SSRCs; one of them is forwarded at a time.
    public var encodings: [SSRC]
    /// Their layers.
    public var scalability: ScalabilitySettings
    /// The CNAME of the sender report's SDES: the producer's (RFC 3550 §6.5.1).
    public var cname: String
    /// Whether the producer is paused.
    public var isProducerPaused: Bool

    /// A source.
    public init(encodings: [SSRC], scalability: ScalabilitySettings, cname: String, isProducerPaused: Bool) {
        self.encodings = encodings
        self.scalability = scalability
        self.cname = cname
        self.isProducerPaused = isProducerPaused
    }
}
