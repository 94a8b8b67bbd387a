@testable import RoundhouseMedia

/// Two associations and what lies between them, in virtual time and from one seed.
final class SCTPPair {
    /// What the way does to packets, in each direction.
    struct Path {
        /// In thousandths.
        var loss = 0
        var duplication = 0
        /// A packet takes up to so much longer, so that others overtake it.
        var reordering = MediaDuration.zero
        var delay = MediaDuration.milliseconds(10)
    }

    private struct Flight {
        var arrival: MediaInstant
        var order: Int
        var isToSecond: Bool
        var packet: [UInt8]
    }

    let first: SCTPEndpoint
    let second: SCTPEndpoint
    var path: Path
    private(set) var now = MediaInstant(nanoseconds: 1_000_000_000_000)
    private var random: SplitMix
    private var flights: [Flight] = []
    private var order = 0
    /// Everything that was sent, for those who look at it.
    private(set) var sent: [(isFromFirst: Bool, packet: [UInt8])] = []
    var keepsSent = false
    /// All that arrives at a time is read before anything is answered.
    var readsBursts = false
    /// Sees each packet before it travels, and may keep it.
    var filter: ((_ isFromFirst: Bool, _ packet: [UInt8]) -> Bool)?
    /// A condition that was not met after some input.
    private(set) var isSound = true

    init(
        _ settings: SCTPSettings = SCTPSettings(), second other: SCTPSettings? = nil, path: Path = Path(),
        seed: UInt64 = 1
    ) {
        first = SCTPEndpoint(settings, seed: seed)
        second = SCTPEndpoint(other ?? settings, seed: seed &+ 1_000_000)
        self.path = path
        random = SplitMix(seed: seed)
    }

    /// Takes what both want to send.
    func exchange() {
        for (endpoint, isFirst) in [(first, true), (second, false)] {
            for packet in endpoint.packets(at: now) { carry(packet, isFromFirst: isFirst) }
            if !endpoint.isSound { isSound = false }
        }
    }

    private func carry(_ packet: [UInt8], isFromFirst: Bool) {
        if keepsSent { sent.append((isFromFirst, packet)) }
        if let filter, !filter(isFromFirst, packet) { return }
        if random.below(1000) < path.loss { return }
        let copies = random.below(1000) < path.duplication ? 2 : 1
        for _ in 0..<copies {
            let late = path.reordering.nanoseconds > 0 ? random.below(Int(path.reordering.nanoseconds)) : 0
            order += 1
            flights.append(
                Flight(
                    arrival: now + path.delay + MediaDuration(nanoseconds: Int64(late)), order: order,
                    isToSecond: isFromFirst, packet: packet))
        }
    }

    /// Goes on to the next arrival or deadline.
    /// - Returns: `false` when there is none before `end`.
    func step(until end: MediaInstant) -> Bool {
        exchange()
        let deadlines = [first.association.nextDeadline, second.association.nextDeadline]
        var next = flights.map(\.arrival).min()
        for deadline in deadlines { next = earliest(next, deadline) }
        guard let next, next <= end else {
            now = max(now, end)
            return false
        }
        now = max(now, next)
        let arrived = flights.filter { $0.arrival <= now }.sorted {
            ($0.arrival, $0.order) < ($1.arrival, $1.order)
        }
        flights.removeAll { $0.arrival <= now }
        for flight in arrived {
            (flight.isToSecond ? second : first).receive(flight.packet, at: now)
            if !readsBursts { exchange() }
        }
        for endpoint in [first, second] {
            if let due = endpoint.association.nextDeadline, due <= now { endpoint.association.deadlineReached(now) }
        }
        return true
    }

    func run(for duration: MediaDuration) {
        let end = now + duration
        while step(until: end) {}
        exchange()
    }

    /// Runs until `isDone`, and no longer than `limit`.
    func run(atMost limit: MediaDuration, until isDone: () -> Bool) -> Bool {
        let end = now + limit
        while !isDone() { if !step(until: end) { return isDone() } }
        return true
    }

    /// Both begin at once, as browsers do, or the first alone.
    func connect(isSimultaneous: Bool = true) -> Bool {
        first.association.connect(at: now)
        if isSimultaneous { second.association.connect(at: now) }
        return run(atMost: .seconds(120)) {
            first.association.state == .established && second.association.state == .established
        }
    }

    func send(
        _ message: SCTPMessage, _ reliability: SCTPReliability = .reliable, fromFirst: Bool = true
    ) -> SCTPSendResult {
        (fromFirst ? first : second).association.send(message, reliability: reliability, at: now)
    }
}
