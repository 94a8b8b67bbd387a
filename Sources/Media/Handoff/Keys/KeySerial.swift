import Synchronization

/// Numbers for keys and the placement of transports, shared by every handle of one plane.
final class KeySerial: Sendable {
    private let counter = Atomic<UInt64>(1)
    private let placement: Mutex<ShardPlacement>

    init(shards: Int) { placement = Mutex(ShardPlacement(shards: shards)) }

    func next() -> UInt64 { counter.add(1, ordering: .relaxed).newValue }

    /// The key of a new transport, which counts as open from now on.
    func place(_ use: TransportUse) -> TransportKey {
        placement.withLock { placement in
            let key = TransportKey(rawValue: MediaKeyLayout.key(shard: placement.shard(for: use), serial: next()))
            placement.opened(key, use)
            return key
        }
    }

    func closed(_ key: TransportKey) { placement.withLock { $0.closed(key) } }
}
