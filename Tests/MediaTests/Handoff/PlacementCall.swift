@testable import RoundhouseMedia

/// Rooms of people who all hear and see each other, as far as placement has to know of them.
struct PlacementCall {
    enum Order: CaseIterable {
        /// What mediasoup's clients do.
        case sendingFirst
        case receivingFirst
        /// Clients that do not say what a transport is for.
        case silent
        case mixed
    }

    private struct Person {
        var room: Int
        var sending: TransportKey
        var receiving: TransportKey
        /// Packets a second of what the person sends, by producer.
        var producers: [ProducerKey: UInt64] = [:]
        var consumers: [ConsumerKey: UInt64] = [:]
    }

    private(set) var placement: ShardPlacement
    let shards: Int
    private var people: [Int: Person] = [:]
    private var serial: UInt64 = 1000
    private var joined = 0
    private var forwarded: [UInt64]

    init(shards: Int) {
        self.shards = shards
        placement = ShardPlacement(shards: shards)
        forwarded = Array(repeating: 0, count: shards)
    }

    var everybody: [Int] { people.keys.sorted() }

    private mutating func next(_ shard: Int) -> UInt64 {
        serial += 1
        return MediaKeyLayout.key(shard: shard, serial: serial)
    }

    private mutating func open(_ use: TransportUse, _ room: Int) -> TransportKey {
        let number = RoomNumber(value: UInt64(room) + 1)
        let key = TransportKey(rawValue: next(placement.shard(for: use, in: number)))
        placement.opened(key, use, in: number)
        return key
    }

    /// - Parameter rates: packets a second of each track that the person publishes.
    /// - Returns: the person's number.
    @discardableResult
    mutating func join(_ room: Int, _ order: Order = .sendingFirst, rates: [UInt64] = [50, 100]) -> Int {
        let number = joined
        joined += 1
        let isReversed = order == .receivingFirst || (order == .mixed && number % 5 == 3)
        let isSilent = order == .silent || (order == .mixed && number % 5 == 1)
        let uses =
            isSilent
            ? [
                TransportUse(sends: true, receives: true, isFirst: true),
                TransportUse(sends: true, receives: true, isFirst: false),
            ]
            : [
                TransportUse(sends: true, receives: false, isFirst: false),
                TransportUse(sends: false, receives: true, isFirst: false),
            ]
        let sending: TransportKey
        let receiving: TransportKey
        if isReversed, !isSilent {
            receiving = open(uses[1], room)
            sending = open(uses[0], room)
        } else {
            sending = open(uses[0], room)
            receiving = open(uses[1], room)
        }
        var person = Person(room: room, sending: sending, receiving: receiving)
        let others = everybody.filter { people[$0]?.room == room }
        for other in others {
            for rate in people[other]?.producers.values.sorted() ?? [] { consume(rate, &person) }
        }
        for rate in rates {
            let producer = ProducerKey(rawValue: next(sending.shard))
            placement.opened(producer, on: sending)
            person.producers[producer] = rate
            for other in others {
                guard var viewer = people[other] else { continue }
                consume(rate, &viewer)
                people[other] = viewer
            }
        }
        people[number] = person
        return number
    }

    private mutating func consume(_ rate: UInt64, _ viewer: inout Person) {
        let consumer = ConsumerKey(rawValue: next(viewer.receiving.shard))
        placement.opened(consumer, on: viewer.receiving)
        viewer.consumers[consumer] = rate
    }

    mutating func leave(_ number: Int) {
        guard let gone = people.removeValue(forKey: number) else { return }
        for other in everybody where people[other]?.room == gone.room {
            guard var viewer = people[other] else { continue }
            for rate in gone.producers.values {
                guard
                    let consumer = viewer.consumers.keys.sorted(by: { $0.rawValue < $1.rawValue })
                        .first(where: { viewer.consumers[$0] == rate })
                else { continue }
                viewer.consumers[consumer] = nil
                placement.closed(consumer)
            }
            people[other] = viewer
        }
        placement.closed(gone.sending)
        placement.closed(gone.receiving)
    }

    /// Packets that each shard forwards in a second.
    var rates: [UInt64] {
        var rates = [UInt64](repeating: 0, count: shards)
        for person in people.values { rates[person.receiving.shard] += person.consumers.values.reduce(0, +) }
        return rates
    }

    /// A second goes by, and the shards are measured.
    mutating func second() {
        for (shard, rate) in rates.enumerated() { forwarded[shard] += rate }
        placement.measured(packetsForwarded: forwarded)
    }

    /// The busiest shard's packets to the mean.
    var imbalance: Double {
        let all = rates
        let mean = Double(all.reduce(0, +)) / Double(shards)
        return mean > 0 ? Double(all.max() ?? 0) / mean : 1
    }

    /// The least there can be: transports cannot be cut in two.
    var leastImbalance: Double {
        let costs = people.values.map { Double($0.consumers.values.reduce(0, +)) }
        let mean = costs.reduce(0, +) / Double(shards)
        guard mean > 0, let largest = costs.max() else { return 1 }
        let even = costs.min() == largest
        let most = even ? ((Double(costs.count) / Double(shards)).rounded(.up) * largest) : max(mean, largest)
        return most / mean
    }

    func shard(of number: Int) -> Int? { people[number]?.receiving.shard }

    /// On how many shards a room's receivers are.
    func spread(of room: Int) -> Int { Set(people.values.filter { $0.room == room }.map(\.receiving.shard)).count }

    /// How many people send on each shard.
    var senders: [Int] { (0..<shards).map { shard in people.values.count { $0.sending.shard == shard } } }
}
