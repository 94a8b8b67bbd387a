/// How a probe ended.
enum ProbeResult: Equatable, Sendable {
    /// The path carries the rate.
    case passed(UInt64)
    /// It does not; so much arrived, `nil` if that is not known.
    case failed(measured: UInt64?)
}
