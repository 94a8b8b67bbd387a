@testable import RoundhouseMedia

/// The server's own machines.
final class RoundhousePolicy: Policy {
    private var controller: CongestionController
    private(set) var violations: Set<String> = []

    init(start: UInt64, at now: MediaInstant) {
        var limits = BitrateLimits()
        limits.start = start
        controller = CongestionController(limits, at: now)
    }

    var estimate: UInt64 { controller.state.estimate }
    var budget: UInt64 { controller.budget }
    var raiseBudget: UInt64 { controller.raiseBudget }
    var relief: Relief { controller.relief }

    var summary: String {
        let state = controller.state
        return
            "est \(state.estimate / 1000) ack \(state.acknowledged / 1000) proven \(state.proven / 1000)"
            + " raise \(raiseBudget / 1000) ceil \((state.ceiling ?? 0) / 1000) queue \(state.queue.milliseconds)"
            + " loss \(state.loss * 1000 / 65536) inh \(state.inherentLoss * 1000 / 65536)"
            + " rtt \(state.roundTripTime?.milliseconds ?? -1) \(state.verdict) \(state.lossClass) \(state.cause)"
            + (state.isApplicationLimited ? " limited" : "")
            + " probe \(controller.probePhase) \(controller.probeGoal / 1000)"
    }

    func packetSent(number: UInt16, size: Int, kind: SentKind, at now: MediaInstant) {
        controller.packetSent(number: number, size: size, kind: kind, at: now)
    }

    func feedbackReceived(_ bytes: [UInt8], at now: MediaInstant) {
        bytes.withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            guard let packet = try? reader.next(),
                let feedback = try? TransportWideFeedback(parsing: packet)
            else {
                return
            }
            let before = controller.state
            controller.feedbackReceived(feedback, at: now)
            check(controller.state, after: before)
        }
    }

    /// What holds whatever the network does.
    private func check(_ state: BandwidthState, after before: BandwidthState) {
        if state.estimate > before.estimate, state.verdict == .overuse || state.verdict == .draining {
            violations.insert("raised while the verdict was \(state.verdict), because of \(state.cause)")
        }
        if state.estimate > 3 * max(state.proven, before.estimate, 1_000_000) {
            violations.insert("raised far beyond what was proven")
        }
        if !controller.isBalanced { violations.insert("packets are not accounted for") }
    }

    func setDemand(_ demand: BandwidthDemand, at now: MediaInstant) {
        controller.setDemand(demand, at: now)
    }

    func advance(to now: MediaInstant) {
        while let due = controller.nextDeadline, due <= now { controller.advance(to: now) }
    }

    func takeFiller(at now: MediaInstant) -> Int { controller.takeFiller(at: now) }
}
