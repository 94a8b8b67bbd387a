import NIOCore

/// Counts what each address holds and how fast it asks.
///
/// A machine: time is an argument. It remembers an address only while that holds something or has a bucket that is not full.
struct AddressLimiter {
    private struct Entry {
        var held: [ClientHolding: Int] = [:]
        var buckets: [ClientCharge: TokenBucket] = [:]
    }

    /// How much of each an address may.
    var rates: [ClientCharge: RateLimit]
    private var entries: [ClientAddress: Entry] = [:]
    private var sweepAt = 1024

    init(rates: [ClientCharge: RateLimit]) { self.rates = rates }

    private func rate(_ charge: ClientCharge) -> RateLimit { rates[charge] ?? RateLimit(perSecond: 1) }

    // MARK: Holdings

    /// - Returns: whether the address may have one more; `release` follows for it.
    mutating func hold(_ holding: ClientHolding, _ address: ClientAddress, limit: Int) -> Bool {
        guard entries[address]?.held[holding, default: 0] ?? 0 < limit else { return false }
        entries[address, default: Entry()].held[holding, default: 0] += 1
        return true
    }

    mutating func release(_ holding: ClientHolding, _ address: ClientAddress) {
        guard var entry = entries[address], let count = entry.held[holding] else { return }
        entry.held[holding] = count > 1 ? count - 1 : nil
        entries[address] = entry.held.isEmpty && entry.buckets.isEmpty ? nil : entry
    }

    // MARK: Rates

    /// - Returns: `nil`, or the seconds after which the address may do it again.
    mutating func take(_ charge: ClientCharge, _ address: ClientAddress, now: NIODeadline) -> Int? {
        if entries.count >= sweepAt { sweep(now) }
        return with(charge, address, now) { $0.take($1, now: now) }
    }

    /// The same for many at once, of which there need be one.
    mutating func take(_ charge: ClientCharge, upTo count: Int, _ address: ClientAddress, now: NIODeadline) -> Int? {
        with(charge, address, now) { $0.take(upTo: count, $1, now: now) }
    }

    /// Takes as many as there are, also those that are not there yet.
    /// - Parameter times: how many times the rate the address has.
    /// - Returns: how long that has to wait.
    mutating func borrow(
        _ charge: ClientCharge, _ count: Int, _ address: ClientAddress, times: Int, now: NIODeadline
    ) -> TimeAmount {
        let rate = RateLimit(perSecond: rate(charge).perSecond.multipliedReportingOverflow(by: times).partialValue)
        var bucket = entries[address]?.buckets[charge] ?? TokenBucket(rate: rate, now: now)
        defer { entries[address, default: Entry()].buckets[charge] = bucket }
        return bucket.borrow(count, rate, now: now)
    }

    /// It was not what it was taken for.
    mutating func giveBack(_ charge: ClientCharge, _ address: ClientAddress) {
        let rate = rate(charge)
        entries[address]?.buckets[charge]?.giveBack(1, rate)
    }

    /// - Returns: `nil`, or the seconds after which the address may do it; takes nothing.
    func wait(_ charge: ClientCharge, _ address: ClientAddress, now: NIODeadline) -> Int? {
        guard var bucket = entries[address]?.buckets[charge] else { return nil }
        return bucket.take(rate(charge), now: now)
    }

    private mutating func with<Result>(
        _ charge: ClientCharge, _ address: ClientAddress, _ now: NIODeadline,
        _ act: (inout TokenBucket, RateLimit) -> Result
    ) -> Result {
        let rate = rate(charge)
        var bucket = entries[address]?.buckets[charge] ?? TokenBucket(rate: rate, now: now)
        defer { entries[address, default: Entry()].buckets[charge] = bucket }
        return act(&bucket, rate)
    }

    /// Forgets who is owed nothing; the next time when there are twice as many as are left.
    private mutating func sweep(_ now: NIODeadline) {
        let rates = rates
        entries = entries.filter { _, entry in
            !entry.held.isEmpty
                || entry.buckets.contains { !$0.value.isFull(rates[$0.key] ?? RateLimit(perSecond: 1), now: now) }
        }
        sweepAt = max(1024, entries.count * 2)
    }

    var count: Int { entries.count }
}
