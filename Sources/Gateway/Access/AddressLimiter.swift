import NIOCore

/// Counts what each address has open and how fast it asks.
///
/// A machine: time is an argument. It remembers an address only while that has a connection or a bucket that is not full.
struct AddressLimiter {
    private struct Entry {
        var connections = 0
        var bucket: TokenBucket?
        /// Of the bytes of its requests' bodies.
        var bodies: TokenBucket?
    }

    private var entries: [ClientAddress: Entry] = [:]
    private var sweepAt = 1024

    /// - Returns: whether the address may have one more; `closed` follows for it.
    mutating func connectionOpened(_ address: ClientAddress, limit: Int) -> Bool {
        guard entries[address, default: Entry()].connections < limit else { return false }
        entries[address, default: Entry()].connections += 1
        return true
    }

    mutating func connectionClosed(_ address: ClientAddress) {
        guard let entry = entries[address] else { return }
        entries[address]?.connections = max(0, entry.connections - 1)
        if entry.connections <= 1, entry.bucket == nil, entry.bodies == nil { entries[address] = nil }
    }

    /// - Returns: `nil`, or the seconds after which the address may ask again.
    mutating func requestReceived(_ address: ClientAddress, rate: RateLimit, now: NIODeadline) -> Int? {
        if entries.count >= sweepAt { sweep(rate, now) }
        var bucket = entries[address]?.bucket ?? TokenBucket(rate: rate, now: now)
        defer { entries[address, default: Entry()].bucket = bucket }
        return bucket.take(rate, now: now)
    }

    /// A request has come whose body is yet to be read.
    /// - Returns: `nil`, or the seconds after which the address may send more.
    mutating func bodyReceived(
        _ address: ClientAddress, bytes: Int, rate: RateLimit, now: NIODeadline
    ) -> Int? {
        var bucket = entries[address]?.bodies ?? TokenBucket(rate: rate, now: now)
        defer { entries[address, default: Entry()].bodies = bucket }
        return bucket.take(upTo: bytes, rate, now: now)
    }

    /// Forgets who is owed nothing; the next time when there are twice as many as are left.
    private mutating func sweep(_ rate: RateLimit, _ now: NIODeadline) {
        entries = entries.filter { _, entry in
            // The bodies' bucket is as full as the requests' one: both fill up within ten seconds.
            entry.connections > 0 || entry.bucket?.isFull(rate, now: now) == false
        }
        sweepAt = max(1024, entries.count * 2)
    }

    var count: Int { entries.count }
}
