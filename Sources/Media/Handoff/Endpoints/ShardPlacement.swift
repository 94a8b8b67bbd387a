/// Decides which shard a transport lives on, for life.
///
/// What costs a shard most is what it sends: a receiver's place is judged by the streams that its shard sends already, and
/// by those that the receiver will get, which is what its room has when it comes. Senders are spread among themselves, so
/// that the order in which clients open their transports decides nothing. Where shards are about equal, a room stays
/// together: a packet then crosses to fewer shards, and more of its receivers share a batch.
struct ShardPlacement: Sendable {
    /// Receivers of one room that a shard takes before the room is spread at no loss: a batch is long enough then.
    private static let fullBatch = 16
    /// A shard that has more than the least one by less than this part of the mean counts as equal.
    private static let tolerance = 64

    private struct Load {
        /// Consumers that are open.
        var consumers = 0
        /// Consumers that receivers are expected to get besides.
        var expected = 0
        var senders = 0
        var receivers = 0
        /// What was measured last, in consumers of the mean cost, and of how many.
        var measured = 0
        var measuredConsumers = 0
        /// How many there were when the last measurement ended.
        var former = 0

        /// What the shard sends, in consumers of the mean cost.
        var outgoing: Int { max(measured + consumers - measuredConsumers, 0) + expected }
    }

    private struct Placed {
        var room: RoomNumber
        var sends: Bool
        /// Consumers that it was placed for and that have not come.
        var expected: Int
        var consumers: Set<ConsumerKey> = []
        var producers: Set<ProducerKey> = []
    }

    private struct RoomLoad {
        var producers = 0
        var transports = 0
        var receivers: [Int: Int] = [:]
        var senders: [Int: Int] = [:]
    }

    private var loads: [Load]
    private var rooms: [RoomNumber: RoomLoad] = [:]
    private var transports: [TransportKey: Placed] = [:]
    private var consumers: [ConsumerKey: TransportKey] = [:]
    private var producers: [ProducerKey: TransportKey] = [:]
    /// Transports that expect consumers, oldest first: what has not come by the second measurement does not come.
    private var expecting: [TransportKey] = []
    private var oldestExpecting = 0
    private var packets: [UInt64]

    /// - Parameter shards: at least 1.
    init(shards: Int) {
        loads = Array(repeating: Load(), count: max(shards, 1))
        packets = Array(repeating: 0, count: loads.count)
    }

    // MARK: Placing

    /// The shard for a transport that is about to be opened.
    func shard(for use: TransportUse, in room: RoomNumber) -> Int {
        let load = rooms[room] ?? RoomLoad()
        return use.isSender
            ? best(\.senders, load.senders, equally: { loads[$0].outgoing })
            : best(\.outgoing, load.receivers, equally: { loads[$0].receivers + loads[$0].senders })
    }

    /// The shard that has least; of those that have about as little, one that has the room already.
    private func best(_ cost: KeyPath<Load, Int>, _ own: [Int: Int], equally second: (Int) -> Int) -> Int {
        var (least, sum) = (Int.max, 0)
        for load in loads {
            least = min(least, load[keyPath: cost])
            sum += load[keyPath: cost]
        }
        let tolerance = sum / loads.count / Self.tolerance
        let limit = least + tolerance
        func rank(_ shard: Int) -> (Int, Int, Int) {
            // A server with little to do loses nothing by spreading a room.
            let members = tolerance > 0 ? own[shard] ?? 0 : 0
            return (members < Self.fullBatch ? -members : 0, loads[shard][keyPath: cost], second(shard))
        }
        var best: Int?
        for shard in loads.indices where loads[shard][keyPath: cost] <= limit {
            if let known = best, rank(known) <= rank(shard) { continue }
            best = shard
        }
        return best ?? 0
    }

    mutating func opened(_ key: TransportKey, _ use: TransportUse, in room: RoomNumber) {
        guard loads.indices.contains(key.shard), transports[key] == nil else { return }
        var placed = Placed(room: room, sends: use.isSender, expected: 0)
        var load = rooms[room] ?? RoomLoad()
        load.transports += 1
        if use.isSender {
            loads[key.shard].senders += 1
            load.senders[key.shard, default: 0] += 1
        } else {
            placed.expected = max(load.producers, leastExpected, 1)
            loads[key.shard].receivers += 1
            loads[key.shard].expected += placed.expected
            load.receivers[key.shard, default: 0] += 1
            expecting.append(key)
        }
        rooms[room] = load
        transports[key] = placed
    }

    /// A quarter of what a receiver has on average: a room that has just begun says little of what its people will get, and
    /// most rooms stay small.
    private var leastExpected: Int {
        let (consumers, receivers) = loads.reduce((0, 0)) { ($0.0 + $1.consumers, $0.1 + $1.receivers) }
        return receivers > 0 ? consumers / receivers / 4 : 0
    }

    // MARK: What becomes of it

    mutating func opened(_ key: ConsumerKey, on transport: TransportKey) {
        guard transports[transport] != nil, consumers.updateValue(transport, forKey: key) == nil else { return }
        loads[transport.shard].consumers += 1
        transports[transport]?.consumers.insert(key)
        expectNoMore(1, of: transport)
    }

    mutating func closed(_ key: ConsumerKey) {
        guard let transport = consumers.removeValue(forKey: key), transports[transport] != nil else { return }
        loads[transport.shard].consumers -= 1
        transports[transport]?.consumers.remove(key)
    }

    mutating func opened(_ key: ProducerKey, on transport: TransportKey) {
        guard let placed = transports[transport], producers.updateValue(transport, forKey: key) == nil else { return }
        transports[transport]?.producers.insert(key)
        rooms[placed.room]?.producers += 1
    }

    mutating func closed(_ key: ProducerKey) {
        guard let transport = producers.removeValue(forKey: key), let placed = transports[transport] else { return }
        transports[transport]?.producers.remove(key)
        rooms[placed.room]?.producers -= 1
    }

    /// With all that is on it. Of a transport that was never opened, or is closed already, nothing changes.
    mutating func closed(_ key: TransportKey) {
        guard let placed = transports[key], var room = rooms[placed.room] else { return }
        expectNoMore(placed.expected, of: key)
        transports[key] = nil
        loads[key.shard].consumers -= placed.consumers.count
        for consumer in placed.consumers { consumers[consumer] = nil }
        for producer in placed.producers { producers[producer] = nil }
        room.producers -= placed.producers.count
        room.transports -= 1
        if placed.sends {
            loads[key.shard].senders -= 1
            room.senders[key.shard, default: 1] -= 1
        } else {
            loads[key.shard].receivers -= 1
            room.receivers[key.shard, default: 1] -= 1
        }
        rooms[placed.room] = room.transports > 0 ? room : nil
    }

    private mutating func expectNoMore(_ count: Int, of transport: TransportKey) {
        let ended = min(count, transports[transport]?.expected ?? 0)
        transports[transport]?.expected -= ended
        loads[transport.shard].expected -= ended
    }

    // MARK: Measuring

    /// Takes what the shards have forwarded since their start: streams differ, and layers, pauses and silence decide what
    /// they cost. Call it about once a second.
    mutating func measured(packetsForwarded: [UInt64]) {
        guard packetsForwarded.count == loads.count else { return }
        let sent = zip(packetsForwarded, packets).map { $0 &- $1 }
        packets = packetsForwarded
        // Those that came meanwhile had no time to show what they cost, and count as one each.
        let known = loads.map { min($0.former, $0.consumers) }
        let (all, count) = (sent.reduce(0, &+), UInt64(known.reduce(0, +)))
        let consumers = max(UInt64(loads.reduce(0) { $0 + $1.consumers }), 1)
        for shard in loads.indices {
            let isFlowing = all > count && 2 * count >= consumers
            loads[shard].measured = isFlowing ? Int(clamping: sent[shard] &* count / all) : known[shard]
            loads[shard].measuredConsumers = known[shard]
            loads[shard].former = loads[shard].consumers
        }
        let former = oldestExpecting
        oldestExpecting = expecting.count
        for key in expecting[..<former] { expectNoMore(.max, of: key) }
        expecting.removeFirst(former)
        oldestExpecting -= former
    }
}

extension TransportUse {
    /// Whether it counts as one that sends. What says nothing of itself does, too: it costs its shard one stream or a few.
    fileprivate var isSender: Bool { receives ? sends && isFirst : true }
}
