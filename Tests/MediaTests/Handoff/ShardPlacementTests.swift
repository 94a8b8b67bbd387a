import Testing

@testable import RoundhouseMedia

@Suite struct ShardPlacementTests {
    static let receiving = TransportUse(sends: false, receives: true, isFirst: false)

    @Test(arguments: [1, 2, 3, 4, 8, 16, 64], [2, 4, 10, 25, 100])
    func `a hundred people load every shard alike, whatever their rooms and the order of their transports`(
        shards: Int, roomSize: Int
    ) {
        for order in PlacementCall.Order.allCases {
            for comesTurnByTurn in [false, true] {
                var call = PlacementCall(shards: shards)
                for number in 0..<100 {
                    call.join(comesTurnByTurn ? number % (100 / roomSize) : number / roomSize, order)
                    if number % 7 == 0 { call.second() }
                }
                // Of few transports a shard, one more or less shows.
                let bound = max(1.15, shards > 8 ? call.leastImbalance + Double(shards) / 100 : call.leastImbalance)
                #expect(call.imbalance <= bound, "\(order), turn by turn: \(comesTurnByTurn)")
                #expect((call.senders.max() ?? 0) - (call.senders.min() ?? 0) <= 1)
            }
        }
    }

    @Test(arguments: [2, 4, 8], [1, 2, 3] as [UInt64])
    func `people who come and go in rooms of every size leave the shards alike`(shards: Int, seed: UInt64) {
        var random = SplitMix(seed: seed)
        var call = PlacementCall(shards: shards)
        var (sum, count, worst) = (0.0, 0, 0.0)
        for step in 0..<700 {
            let people = call.everybody
            if people.count < 100 || (random.isOne(in: 2) && people.count < 140) {
                // A third has no camera.
                call.join(random.below(12), .mixed, rates: random.isOne(in: 3) ? [50] : [50, 100])
            } else {
                call.leave(people[random.below(people.count)])
            }
            if step % 5 == 0 { call.second() }
            guard step > 120, step % 10 == 0 else { continue }
            sum += call.imbalance
            count += 1
            worst = max(worst, call.imbalance)
        }
        #expect(sum / Double(count) <= (shards > 4 ? 1.12 : 1.06))
        #expect(worst <= (shards > 4 ? 1.35 : 1.2))
    }

    @Test func `what streams really cost decides, not how many there are`() {
        var call = PlacementCall(shards: 2)
        // Two rooms of equal numbers: one talks, the other sends pictures of ten times the packets.
        for _ in 0..<8 {
            call.join(0, rates: [50])
            call.join(1, rates: [500])
        }
        for _ in 0..<3 { call.second() }
        for _ in 0..<20 {
            call.join(2, rates: [100])
            call.second()
        }
        #expect(call.imbalance <= 1.15)
    }

    @Test(arguments: [2, 3, 4], [2, 3, 4, 6])
    func `a few people are spread at once, however long they take to come`(shards: Int, people: Int) {
        for seconds in 0...3 {
            var call = PlacementCall(shards: shards)
            for _ in 0..<people {
                call.join(0)
                for _ in 0..<seconds { call.second() }
            }
            #expect(call.imbalance <= call.leastImbalance + 0.001, "\(seconds) s between two")
        }
    }

    @Test func `on a busy server the people of a small room share a shard`() {
        var call = PlacementCall(shards: 4)
        for number in 0..<120 { call.join(number / 60, rates: [50, 100]) }
        for _ in 0..<2 { call.second() }
        var spread = 0
        for room in 2..<22 {
            for _ in 0..<4 { call.join(room) }
            call.second()
            spread += call.spread(of: room)
        }
        #expect(call.imbalance <= 1.05)
        // Scattered, a room of four would be on four.
        #expect(spread <= 20 * 2)
    }

    @Test func `a shard whose clients have left gets the next ones`() {
        var call = PlacementCall(shards: 4)
        for _ in 0..<40 { call.join(0) }
        call.second()
        for number in call.everybody where call.shard(of: number) == 2 { call.leave(number) }
        call.second()
        let new = (0..<10).map { _ in call.join(0) }
        #expect(new.allSatisfy { call.shard(of: $0) == 2 })
    }

    @Test func `what closes twice, or never was, changes nothing`() {
        var placement = ShardPlacement(shards: 2)
        func key(_ shard: Int, _ serial: UInt64) -> UInt64 { MediaKeyLayout.key(shard: shard, serial: serial) }
        let room = RoomNumber(value: 1)
        let transport = TransportKey(rawValue: key(0, 1))
        let (consumer, producer) = (ConsumerKey(rawValue: key(0, 2)), ProducerKey(rawValue: key(0, 3)))
        placement.opened(consumer, on: transport)
        placement.opened(transport, Self.receiving, in: room)
        for _ in 0..<2 {
            placement.opened(transport, Self.receiving, in: room)
            placement.opened(consumer, on: transport)
            placement.opened(producer, on: transport)
        }
        #expect(placement.shard(for: Self.receiving, in: room) == 1)
        for _ in 0..<2 {
            placement.closed(consumer)
            placement.closed(producer)
            placement.closed(transport)
            placement.closed(TransportKey(rawValue: key(9, 9)))
        }
        placement.closed(consumer)
        placement.measured(packetsForwarded: [1])
        placement.measured(packetsForwarded: [.max, 0])
        #expect(placement.shard(for: Self.receiving, in: room) == 0)
    }
}
