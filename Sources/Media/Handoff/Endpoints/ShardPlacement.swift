/// Decides which shard a transport lives on: transports of one use are balanced among themselves, because one that
/// receives costs its shard many times what one that sends does, and clients open them in a fixed order.
struct ShardPlacement: Sendable {
    private struct Load {
        var byUse: [TransportUse: Int] = [:]
        var total = 0
    }

    private var loads: [Load]
    private var uses: [TransportKey: TransportUse] = [:]

    /// - Parameter shards: at least 1.
    init(shards: Int) { loads = Array(repeating: Load(), count: max(shards, 1)) }

    /// The shard with the fewest transports of this use; of several the one with the fewest of all.
    func shard(for use: TransportUse) -> Int {
        var best = 0
        for shard in loads.indices.dropFirst() where rank(shard, use) < rank(best, use) { best = shard }
        return best
    }

    private func rank(_ shard: Int, _ use: TransportUse) -> (Int, Int) {
        (loads[shard].byUse[use] ?? 0, loads[shard].total)
    }

    mutating func opened(_ key: TransportKey, _ use: TransportUse) {
        guard loads.indices.contains(key.shard), uses.updateValue(use, forKey: key) == nil else { return }
        loads[key.shard].byUse[use, default: 0] += 1
        loads[key.shard].total += 1
    }

    /// Of a transport that was never opened, or is closed already, nothing changes.
    mutating func closed(_ key: TransportKey) {
        guard let use = uses.removeValue(forKey: key) else { return }
        loads[key.shard].byUse[use, default: 1] -= 1
        loads[key.shard].total -= 1
    }
}
