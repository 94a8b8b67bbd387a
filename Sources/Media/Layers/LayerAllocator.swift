/// Shares what a receiver's network carries among the videos that it is sent.
///
/// Every consumer has a ladder of steps (`LayerLadder`). First each gets its lowest step, then whoever gains most for each
/// bit, weighted by priority, gets the next one, until nothing more fits. Of equal ones the oldest comes first. Going down
/// follows the estimate at once. Going up waits for a lower, proven one; does not come near what was too much a while ago
/// (a hold); and takes turns, since several key frames at once are congestion of their own making.
///
/// A machine without I/O: it is given the ladders as they are now, and says what changed.
struct LayerAllocator {
    /// One consumer's share.
    struct Share {
        let consumer: Slot<ShardConsumer>
        /// 1…255; twice as much is worth twice as much.
        var priority: UInt8
        /// The chosen step's layers; `nil` while nothing of it fits.
        fileprivate(set) var target: LayerPosition?
        /// The chosen step's cost.
        fileprivate(set) var cost: UInt64 = 0
        fileprivate(set) var reason = LayerReason.sourceSilent
        /// Whether its source sends something that could be chosen.
        fileprivate(set) var hasChoice = false
        /// What the next step would cost more; zero at the top.
        fileprivate(set) var nextStep: UInt64 = 0
        /// The step that was chosen; −1 for none.
        fileprivate var level = -1
        /// Steps on the way to a decision.
        fileprivate var filled = -1
        fileprivate var ideal = -1

        fileprivate init(_ consumer: Slot<ShardConsumer>, priority: UInt8) {
            self.consumer = consumer
            self.priority = priority
        }
    }

    /// What is to be shared.
    struct Budget {
        /// Bits per second for all videos: what is being sent may cost so much.
        var keeping: UInt64
        /// What it may cost after a step up.
        var raising: UInt64
        /// Whether there are signs of congestion: without them a tenth more is tolerated.
        var isCongested = false
        /// Whether it is so bad that even the only picture has to be given up.
        var mayPauseAll = false
        var roundTripTime: MediaDuration?
    }

    static let firstHold = MediaDuration.seconds(5)
    static let longestHold = MediaDuration.seconds(60)
    /// A decline so long after the last one has nothing to do with it.
    private static let holdMemory = MediaDuration.seconds(60)
    /// One so soon after it is part of it.
    private static let declineTime = MediaDuration.seconds(3)
    private static let shortestTurn = MediaDuration.milliseconds(500)

    private(set) var shares: [Share] = []
    /// Their indices: the more important first, then the older.
    private var order: [Int] = []
    /// Of each share, while it is decided.
    private var ladders: [LayerLadder] = []
    /// The one whose lowest step is taken even if it does not fit, while it is decided: a network that is sent nothing
    /// shows nothing. Not in snapshots.
    private var favorite: Int?
    /// When the next one may be raised.
    private var nextTurn: MediaInstant?
    /// What all together cost when it was too much, and until when they stay below that.
    private(set) var held: (cost: UInt64, until: MediaInstant)?
    private var hold = LayerAllocator.firstHold
    private var declinedAt: MediaInstant?
    /// All costs, of what is chosen. Not in snapshots, as what follows.
    private(set) var allocated: UInt64 = 0
    /// The whole that the cheapest further step would need; zero if nothing more is wanted.
    private(set) var nextStep: UInt64 = 0
    /// What the network has to be proved to carry before something is raised: while a step is held, more than what was too
    /// much, for else nothing would ever be tried before the hold ends.
    private(set) var stepToProve: UInt64 = 0
    /// The whole if every wish were fulfilled.
    private(set) var wanted: UInt64 = 0

    init() {}

    mutating func add(_ consumer: Slot<ShardConsumer>, priority: UInt8 = 1) {
        let share = Share(consumer, priority: max(priority, 1))
        // Behind the older ones that are as important.
        let place = order.firstIndex { shares[$0].priority < share.priority } ?? order.count
        order.insert(shares.count, at: place)
        shares.append(share)
    }

    mutating func remove(_ consumer: Slot<ShardConsumer>) {
        shares.removeAll { $0.consumer == consumer }
        sort()
    }

    mutating func setPriority(_ priority: UInt8, of consumer: Slot<ShardConsumer>) {
        guard let index = index(of: consumer) else { return }
        shares[index].priority = max(priority, 1)
        sort()
    }

    private mutating func sort() {
        order = shares.indices.sorted { (shares[$1].priority, $0) < (shares[$0].priority, $1) }
    }

    func share(of consumer: Slot<ShardConsumer>) -> Share? { index(of: consumer).map { shares[$0] } }

    /// All shares, for who asks for each: looking for one takes longer the more there are.
    var sharesByConsumer: [Slot<ShardConsumer>: Share] {
        Dictionary(uniqueKeysWithValues: shares.lazy.map { ($0.consumer, $0) })
    }

    /// A probe has proved the network: nothing is held any more.
    mutating func releaseHold() { held = nil }

    private func index(of consumer: Slot<ShardConsumer>) -> Int? { shares.firstIndex { $0.consumer == consumer } }

    // MARK: Deciding

    /// Chooses a step for each consumer.
    /// - Parameter choices: the ladder of each share as it is now: empty while nothing of it is to be sent. They are the
    ///   same afterwards.
    /// - Returns: whether some target changed.
    @discardableResult
    mutating func allocate(_ budget: Budget, among choices: inout [LayerLadder], at now: MediaInstant) -> Bool {
        guard choices.count == shares.count else { return false }
        swap(&choices, &ladders)
        defer { swap(&choices, &ladders) }
        var limited = budget
        if let held, now < held.until {
            // Nobody is kept without a picture for what another one cost.
            let bases = ladders.reduce(0) { $0 + ($1.isEmpty ? 0 : $1[0].cost) }
            limited.raising = min(budget.raising, max(held.cost - held.cost / 8, bases))
        }
        for index in shares.indices {
            // Where costs have moved, the present layers stand elsewhere.
            shares[index].level = shares[index].target.map { ladders[index].level(of: $0) } ?? -1
            shares[index].hasChoice = !ladders[index].isEmpty
        }
        let isHeld = held.map { now < $0.until } ?? false
        favorite = order.first { shares[$0].hasChoice }
        if budget.mayPauseAll || favorite.map({ shares[$0].level < 0 && isHeld }) ?? false { favorite = nil }
        // What would be best if nothing were being sent yet, then what can be kept: present steps at most.
        fill(within: limited.raising, upTo: .top)
        for index in shares.indices { shares[index].ideal = shares[index].filled }
        fill(within: budget.isCongested ? budget.keeping : budget.keeping &+ budget.keeping / 10, upTo: .present)
        let isChanged = combine(limited, at: now)
        summarize(limited, isHeld: limited.raising < budget.raising)
        return isChanged
    }

    private enum Limit { case present, top }

    private func highest(_ index: Int, _ limit: Limit) -> Int {
        switch limit {
        case .present: shares[index].level
        case .top: ladders[index].top
        }
    }

    /// Finds the best steps within a budget: into `filled`.
    private mutating func fill(within budget: UInt64, upTo limit: Limit) {
        for index in shares.indices { shares[index].filled = -1 }
        var left = budget
        for index in order where highest(index, limit) >= 0 {
            let cost = ladders[index][0].cost
            guard cost <= left || index == favorite else { continue }
            shares[index].filled = 0
            left -= min(cost, left)
        }
        // Steps up, one by one, whoever gains most for each bit.
        while let best = bestStep(within: left, upTo: limit) {
            shares[best.index].filled += 1
            left -= best.cost
        }
    }

    private func bestStep(within budget: UInt64, upTo limit: Limit) -> (index: Int, cost: UInt64)? {
        var best: (index: Int, gain: Int, cost: UInt64)?
        for index in shares.indices {
            let level = shares[index].filled
            guard level >= 0, level < highest(index, limit) else { continue }
            let (from, to) = (ladders[index][level], ladders[index][level + 1])
            let (gain, cost) = (Int(shares[index].priority) * (to.value - from.value), to.cost - from.cost)
            guard cost <= budget else { continue }
            // Gain for each bit, without dividing: costs are below 2^40, gains below 2^18.
            if let best, gain * Int(best.cost) <= best.gain * Int(cost) { continue }
            best = (index, gain, cost)
        }
        return best.map { ($0.index, $0.cost) }
    }

    /// Takes from what is ideal what may be raised now, and keeps the rest.
    private mutating func combine(_ budget: Budget, at now: MediaInstant) -> Bool {
        var total: UInt64 = 0
        var before: UInt64 = 0
        for index in shares.indices {
            total += cost(of: index, at: shares[index].filled)
            before += cost(of: index, at: shares[index].level)
        }
        if total < before { declined(from: before, at: now) }
        for index in order where shares[index].ideal > shares[index].filled && mayRaise(index, at: now) {
            raise(index, within: budget, &total, at: now)
        }
        var isChanged = false
        for index in shares.indices {
            let level = shares[index].filled
            let target = level < 0 ? nil : ladders[index][level].position
            if target != shares[index].target { isChanged = true }
            shares[index].target = target
            shares[index].cost = cost(of: index, at: level)
            shares[index].level = level
        }
        allocated = total
        return isChanged
    }

    private func cost(of index: Int, at level: Int) -> UInt64 { level < 0 ? 0 : ladders[index][level].cost }

    /// Raises a share as far towards what is ideal as fits.
    private mutating func raise(_ index: Int, within budget: Budget, _ total: inout UInt64, at now: MediaInstant) {
        let level = shares[index].filled
        makeRoom(for: index, within: budget.raising, &total)
        var next = shares[index].ideal
        while next > level {
            let cost = total - cost(of: index, at: level) + cost(of: index, at: next)
            guard cost > budget.raising, next > 0 || index != favorite else {
                if needsKeyFrame(index, from: level, to: next) {
                    nextTurn = now + max(Self.shortestTurn, (budget.roundTripTime ?? .zero) + .milliseconds(100))
                }
                total = cost
                shares[index].filled = next
                return
            }
            next -= 1
        }
    }

    /// Lowers others to what is best for all where one without a picture, or a more important one, would find no room.
    private mutating func makeRoom(for index: Int, within budget: UInt64, _ total: inout UInt64) {
        let isBase = shares[index].filled < 0
        let needed = cost(of: index, at: shares[index].ideal) - cost(of: index, at: shares[index].filled)
        guard total + needed > budget else { return }
        for other in shares.indices
        where other != index && shares[other].filled > shares[other].ideal
            && (isBase || shares[other].priority < shares[index].priority)
        {
            total -= cost(of: other, at: shares[other].filled) - cost(of: other, at: shares[other].ideal)
            shares[other].filled = shares[other].ideal
        }
    }

    private mutating func declined(from cost: UInt64, at now: MediaInstant) {
        defer { declinedAt = now }
        // Of several steps down the first is the one that says what was too much.
        if let declinedAt, let held, now - declinedAt < Self.declineTime {
            self.held = (held.cost, now + hold)
            return
        }
        let isRepeated = declinedAt.map { now - $0 < Self.holdMemory } ?? false
        hold = isRepeated ? min(hold * 2, Self.longestHold) : Self.firstHold
        held = (cost, now + hold)
    }

    private func mayRaise(_ index: Int, at now: MediaInstant) -> Bool {
        let (level, ideal) = (shares[index].filled, shares[index].ideal)
        guard level >= 0, needsKeyFrame(index, from: level, to: ideal), let nextTurn else { return true }
        return now >= nextTurn
    }

    /// Whether the way from one step to another begins with a key frame.
    private func needsKeyFrame(_ index: Int, from level: Int, to other: Int) -> Bool {
        level < 0 || ladders[index][level].position.spatial != ladders[index][other].position.spatial
    }

    // MARK: Saying why

    private mutating func summarize(_ budget: Budget, isHeld: Bool) {
        (nextStep, wanted) = (0, 0)
        for index in shares.indices {
            let (level, top) = (shares[index].level, ladders[index].top)
            shares[index].nextStep = 0
            guard shares[index].hasChoice else {
                shares[index].reason = .sourceSilent
                continue
            }
            wanted += cost(of: index, at: top)
            guard level < top else {
                shares[index].reason = .wanted
                continue
            }
            let further = cost(of: index, at: level + 1) - cost(of: index, at: level)
            shares[index].nextStep = further
            if allocated + further <= budget.raising {
                shares[index].reason = .turn
            } else if level < 0 {
                shares[index].reason = .pausedForBudget
            } else {
                shares[index].reason = isHeld ? .hold : .budget
            }
            if nextStep == 0 || allocated + further < nextStep { nextStep = allocated + further }
        }
        stepToProve = nextStep
        if isHeld, nextStep > 0, let held { stepToProve = max(nextStep, held.cost + held.cost / 8) }
    }
}

// MARK: Snapshot

extension LayerAllocator: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(1)
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { shares.append(try reader.read()) }
        nextTurn = try reader.readOptional()
        if try reader.read() as Bool { held = (try reader.readCounter(), try reader.read()) }
        hold = try reader.read(in: Self.firstHold...Self.longestHold)
        declinedAt = try reader.readOptional()
        sort()
    }

    /// What is summed up of a decision is left out: the next one is at once.
    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.writeCount(shares.count)
        for share in shares { writer.write(share) }
        writer.writeOptional(nextTurn)
        writer.write(held != nil)
        if let held {
            writer.write(held.cost)
            writer.write(held.until)
        }
        writer.write(hold)
        writer.writeOptional(declinedAt)
    }
}

extension LayerAllocator.Share: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        consumer = try reader.read()
        priority = try reader.read(in: 1...255)
        target = try reader.readOptional()
    }

    /// Cost, reason and steps are those of the next decision.
    func write(to writer: inout SnapshotWriter) {
        writer.write(consumer)
        writer.write(priority)
        writer.writeOptional(target)
    }
}
