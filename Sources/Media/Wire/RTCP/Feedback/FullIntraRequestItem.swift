/// One command of a FIR packet (RFC 5104 §4.3.1.1).
struct FullIntraRequestItem: Hashable, Sendable {
    /// The stream whose key frame is asked for.
    var ssrc: SSRC
    /// Grows with each new command; a repetition has the same number.
    var sequenceNumber: UInt8
}
