@testable import RoundhouseMedia

/// What decides how much is sent: ours, or one to compare with.
protocol Policy {
    var estimate: UInt64 { get }
    var budget: UInt64 { get }
    var raiseBudget: UInt64 { get }
    var relief: Relief { get }
    /// Rules that were broken.
    var violations: Set<String> { get }
    /// For traces.
    var summary: String { get }

    func packetSent(number: UInt16, size: Int, kind: SentKind, at now: MediaInstant)
    func feedbackReceived(_ bytes: [UInt8], at now: MediaInstant)
    func setDemand(_ demand: BandwidthDemand, at now: MediaInstant)
    func advance(to now: MediaInstant)
    func takeFiller(at now: MediaInstant) -> Int
}
