/// Which other shards this one's sockets get datagrams for, where all shards share a port.
///
/// The kernel spreads a port's clients over the sockets bound to it, by their addresses. What begins a transport, a check,
/// names its shard; for all else that shard claims the client's address pair with each check that has passed. So nobody
/// leads a client's packets astray without its password.
///
/// A machine without I/O. Not in snapshots: the next checks claim everything again.
struct OtherShardsTuples {
    private struct Entry {
        var key: TupleTable.Key
        var shard: Int
        var until: MediaInstant
    }

    /// Longer than any client goes without a check.
    static let patience = MediaDuration.seconds(60)
    static let capacity = 65_536

    private var numbers: TupleTable
    private var entries: [Entry?] = []
    private var free: [Int] = []
    /// The entry that is looked at next for its age.
    private var cursor = 0

    init(secret: HashSecret) { numbers = TupleTable(secret: secret, limit: Self.capacity) }

    var count: Int { numbers.count }

    /// The shard that has claimed a tuple.
    func shard(of key: TupleTable.Key, at now: MediaInstant) -> Int? {
        guard let number = numbers.find(key), let entry = entries[number], entry.until > now else { return nil }
        return entry.shard
    }

    /// A valid check for a shard has come from a tuple. Where there is no place, the one that was looked at longest ago
    /// makes it: its shard claims it again with the next check.
    mutating func claimed(_ key: TupleTable.Key, by shard: Int, at now: MediaInstant) {
        let entry = Entry(key: key, shard: shard, until: now + Self.patience)
        if let known = numbers.find(key) {
            entries[known] = entry
            return
        }
        // Two for each that comes: so the table has few that are over.
        for _ in 0..<2 { forgetNext { $0.until <= now } }
        if count == Self.capacity { forgetNext { _ in true } }
        let number = free.popLast() ?? entries.count
        if number == entries.count { entries.append(nil) }
        entries[number] = entry
        _ = numbers.insert(key, number: number)
    }

    private mutating func forgetNext(if isOver: (Entry) -> Bool) {
        guard !entries.isEmpty else { return }
        cursor = (cursor + 1) % entries.count
        guard let entry = entries[cursor], isOver(entry) else { return }
        numbers.remove(entry.key)
        entries[cursor] = nil
        free.append(cursor)
    }
}
