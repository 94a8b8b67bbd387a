import Testing

@testable import RoundhouseMedia

@Suite struct ShardPlacementTests {
    static let sending = TransportUse(sends: true, receives: false, isFirst: false)
    static let receiving = TransportUse(sends: false, receives: true, isFirst: false)

    private var placement: ShardPlacement
    private var serial: UInt64 = 0

    init() { placement = ShardPlacement(shards: 1) }

    @discardableResult
    private mutating func open(_ use: TransportUse) -> TransportKey {
        serial += 1
        let key = TransportKey(rawValue: MediaKeyLayout.key(shard: placement.shard(for: use), serial: serial))
        placement.opened(key, use)
        return key
    }

    /// How many of the keys each shard has.
    private func counts(_ keys: [TransportKey], of shards: Int) -> [Int] {
        (0..<shards).map { shard in keys.count { $0.shard == shard } }
    }

    private func isEven(_ counts: [Int]) -> Bool { (counts.max() ?? 0) - (counts.min() ?? 0) <= 1 }

    @Test(arguments: [1, 2, 3, 4, 8], [1, 5, 24, 100])
    mutating func `clients that open one transport to send and one to receive load every shard with both`(
        shards: Int, clients: Int
    ) {
        placement = ShardPlacement(shards: shards)
        var senders: [TransportKey] = []
        var receivers: [TransportKey] = []
        for client in 0..<clients {
            // Some open them in the other order.
            if client % 5 == 3 { receivers.append(open(Self.receiving)) }
            senders.append(open(Self.sending))
            if client % 5 != 3 { receivers.append(open(Self.receiving)) }
        }
        #expect(isEven(counts(senders, of: shards)))
        #expect(isEven(counts(receivers, of: shards)))
    }

    @Test(arguments: [2, 3, 4, 8])
    mutating func `clients that do not say what a transport is for are spread by its place among theirs`(shards: Int) {
        placement = ShardPlacement(shards: shards)
        var first: [TransportKey] = []
        var second: [TransportKey] = []
        for _ in 0..<24 {
            first.append(open(TransportUse(sends: true, receives: true, isFirst: true)))
            second.append(open(TransportUse(sends: true, receives: true, isFirst: false)))
        }
        #expect(isEven(counts(first, of: shards)))
        #expect(isEven(counts(second, of: shards)))
    }

    @Test mutating func `a shard whose clients have left gets the next ones`() {
        placement = ShardPlacement(shards: 4)
        var receivers = (0..<40).map { _ in open(Self.receiving) }
        for key in receivers where key.shard == 2 {
            placement.closed(key)
            // Once more changes nothing, and neither does a transport that never was.
            placement.closed(key)
        }
        placement.closed(TransportKey(rawValue: MediaKeyLayout.key(shard: 3, serial: 9999)))
        receivers.removeAll { $0.shard == 2 }
        let new = (0..<10).map { _ in open(Self.receiving) }
        #expect(new.allSatisfy { $0.shard == 2 })
        #expect(counts(receivers + new, of: 4) == [10, 10, 10, 10])
    }
}
