/// What became of a client whose connection broke and that may come back.
enum ResumptionOutcome: String, CaseIterable {
    /// Its connection broke.
    case lost
    case resumed
    /// It came with a token that opens nothing, or no longer.
    case refused
    /// It did not come back in time.
    case expired
}
