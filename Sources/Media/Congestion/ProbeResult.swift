/// How a probe ended.
enum ProbeResult: Equatable, Sendable {
    /// The path carries the rate; unless that is clear, only a longer probe tells.
    case passed(UInt64, isClear: Bool)
    /// It does not; so much arrived, `nil` if that is not known.
    case failed(measured: UInt64?)
}
