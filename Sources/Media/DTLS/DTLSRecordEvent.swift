/// What a record of the peer's means.
enum DTLSRecordEvent: Equatable {
    case applicationData([UInt8])
    /// The peer says close_notify. Nothing that follows counts.
    case closed
    /// The peer gave up, with the alert's number. Nothing that follows counts.
    case failed(UInt8)
    /// The peer has not got our last flight, which was sent again.
    case lastFlightRepeated
}
