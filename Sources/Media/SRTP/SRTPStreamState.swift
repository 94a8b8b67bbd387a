/// What SRTP remembers of one inbound SSRC, as plain data that another process can continue with.
struct SRTPStreamState: Sendable, Hashable {
    var ssrc: UInt32
    /// The highest authenticated RTP index, roll-over counter · 65,536 + sequence number; `nil` before the first.
    var highestIndex: UInt64?
    /// `SRTPReplayWindow.wordCount` words: the bits of indices up to `highestIndex`, by index modulo 1,024.
    var window: [UInt64]
    /// The highest authenticated SRTCP index, 31 bits; `nil` before the first.
    var highestRTCPIndex: UInt32?
    /// Bit n: the index n below the highest was seen.
    var rtcpWindow: UInt64
    /// Nobody takes it any longer.
    var isRetired = false
}
