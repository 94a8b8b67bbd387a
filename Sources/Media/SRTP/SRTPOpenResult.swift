/// What became of a protected packet.
enum SRTPOpenResult: Equatable {
    /// The plaintext is in place: `length` bytes, of which the first `headerLength` are the RTP header with CSRCs and
    /// extensions (8 for RTCP). `index` is roll-over counter · 65,536 + sequence number (RTCP: the SRTCP index).
    case opened(headerLength: Int, length: Int, index: UInt64)
    /// Seen before, or too old to tell. The bytes are untouched.
    case replayed
    /// Not made with our peer's key, or changed on the way. The bytes are void.
    case authenticationFailed
    /// Too short, or not a protected RTP or RTCP packet. The bytes are untouched.
    case malformed
    /// A new SSRC, but the transport has its limit of them. The bytes are untouched.
    case tooManyStreams
}
