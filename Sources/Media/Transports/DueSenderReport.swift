/// A consumer's report that waits for its place in a compound.
struct DueSenderReport {
    var report: SenderReport
    /// The producer's canonical name, for the SDES beside it.
    var cname: String
}
