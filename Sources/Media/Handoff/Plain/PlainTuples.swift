/// The addresses of a plain transport at one moment.
public struct PlainTuples: Sendable, Hashable {
    /// RTP's; with RTCP-mux also RTCP's.
    public var rtp: PlainTuple
    /// RTCP's; `nil` with RTCP-mux.
    public var rtcp: PlainTuple?

    /// Tuples.
    public init(rtp: PlainTuple, rtcp: PlainTuple?) {
        self.rtp = rtp
        self.rtcp = rtcp
    }
}
