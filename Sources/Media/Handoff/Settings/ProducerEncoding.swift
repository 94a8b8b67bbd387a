/// One encoding (simulcast layer or the only stream) of a producer.
public struct ProducerEncoding: Sendable, Hashable {
    /// The SSRC the client announced, if it did; else the stream is learned by RID or MID.
    public var ssrc: SSRC?
    /// The SSRC of its retransmissions.
    public var rtxSSRC: SSRC?
    /// The RTP stream identifier (RFC 8852), at most 16 characters.
    public var rid: String?
    /// The SSRC by which consumers inside the server refer to this encoding.
    public var mappedSSRC: SSRC

    /// An encoding.
    public init(ssrc: SSRC? = nil, rtxSSRC: SSRC? = nil, rid: String? = nil, mappedSSRC: SSRC) {
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.rid = rid
        self.mappedSSRC = mappedSSRC
    }
}
