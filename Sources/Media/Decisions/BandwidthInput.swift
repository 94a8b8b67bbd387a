/// What goes into a transport's bandwidth machines, as a recording names it.
enum BandwidthInput: UInt8 {
    /// A numbered packet left.
    case sent = 1
    /// The client's transport-wide feedback, as RTCP.
    case feedback = 2
    /// The client's own estimate.
    case estimate = 3
    /// A receiver report.
    case report = 4
    /// The client is reached by another way.
    case route = 5
    /// The machines' deadline.
    case advance = 6
    /// A consumer came, left, or became more or less important.
    case join = 7
    case leave = 8
    case priority = 9
    /// Layers were shared out.
    case share = 10
    /// A consumer that catches up asked how much it may be sent at once.
    case burst = 11
    /// The end, with everything the machines know.
    case end = 12
    /// Other limits were set.
    case limits = 13
    /// More waits at this end of a TCP connection than the path takes.
    case drain = 14
}
