import Synchronization

/// Numbers for keys and rooms, and the place of every transport: shared by all handles of one plane.
final class KeySerial: Sendable {
    private let counter = Atomic<UInt64>(1)
    private let placement: Mutex<ShardPlacement>

    init(shards: Int) { placement = Mutex(ShardPlacement(shards: shards)) }

    func next() -> UInt64 { counter.add(1, ordering: .relaxed).newValue }

    /// The key of a new transport, which counts as open from now on.
    func place(_ use: TransportUse, in room: RoomNumber) -> TransportKey {
        placement.withLock { placement in
            let shard = placement.shard(for: use, in: room)
            let key = TransportKey(rawValue: MediaKeyLayout.key(shard: shard, serial: next()))
            placement.opened(key, use, in: room)
            return key
        }
    }

    func closed(_ key: TransportKey) { placement.withLock { $0.closed(key) } }

    /// The key of a new producer, which counts as open from now on.
    func producer(on transport: TransportKey) -> ProducerKey {
        let key = ProducerKey(rawValue: MediaKeyLayout.key(shard: transport.shard, serial: next()))
        placement.withLock { $0.opened(key, on: transport) }
        return key
    }

    func closed(_ key: ProducerKey) { placement.withLock { $0.closed(key) } }

    /// The key of a new consumer, which counts as open from now on.
    func consumer(on transport: TransportKey) -> ConsumerKey {
        let key = ConsumerKey(rawValue: MediaKeyLayout.key(shard: transport.shard, serial: next()))
        placement.withLock { $0.opened(key, on: transport) }
        return key
    }

    func closed(_ key: ConsumerKey) { placement.withLock { $0.closed(key) } }

    /// The key of a new data producer or consumer of a shard. They do not count for the place of anything.
    func data(on shard: Int) -> UInt64 { MediaKeyLayout.key(shard: shard, serial: next()) }

    /// A shard for what has no transport.
    func anyShard(of count: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(max(count, 1))) }

    /// Takes the packets that each shard has forwarded since its start.
    func measured(packetsForwarded: [UInt64]) {
        placement.withLock { $0.measured(packetsForwarded: packetsForwarded) }
    }
}
