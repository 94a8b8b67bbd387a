/// How well one of a producer's streams arrives.
public struct EncodingScore: Sendable, Hashable {
    /// The index among the producer's encodings.
    public var encoding: Int
    /// The SSRC it is received with.
    public var ssrc: SSRC
    /// The RTP stream identifier (RFC 8852).
    public var rid: String?
    /// 0 (nothing arrives) … 10.
    public var score: UInt8

    /// A score.
    public init(encoding: Int, ssrc: SSRC, rid: String? = nil, score: UInt8) {
        self.encoding = encoding
        self.ssrc = ssrc
        self.rid = rid
        self.score = score
    }
}
