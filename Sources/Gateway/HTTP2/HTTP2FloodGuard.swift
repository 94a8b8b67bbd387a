import NIOCore

/// Limits what a client may make the server do without asking for anything (RFC 9113 §10.5).
///
/// A machine: frames and the time in, a verdict out. An honest client never comes near these rates.
struct HTTP2FloodGuard {
    /// What costs the server more than it costs the client.
    enum Act {
        /// A stream the client gave up, or made the server give up by breaking the rules: the work for it was for
        /// nothing ("rapid reset").
        case reset
        /// SETTINGS, PING, PRIORITY and DATA without data. Frames of unknown types cost nothing but their bytes.
        case control
        /// Each may set off a DATA frame with one byte.
        case windowUpdate
    }

    /// A bucket that fills at a steady rate, from which every act takes one token.
    private struct Bucket {
        let capacity: Int64
        let perSecond: Int64
        var tokens: Int64
        var filledAt: NIODeadline?

        init(capacity: Int64, perSecond: Int64) {
            self.capacity = capacity
            self.perSecond = perSecond
            tokens = capacity
        }

        mutating func take(now: NIODeadline) -> Bool {
            let last = filledAt ?? now
            let elapsed = max((now - last).nanoseconds, 0)
            // Beyond a minute the bucket is full in any case, and the product stays small.
            let gained = min(elapsed, 60_000_000_000) / 1000 * perSecond / 1_000_000
            if gained > 0 || filledAt == nil {
                tokens = min(tokens + gained, capacity)
                filledAt = now
            }
            guard tokens > 0 else { return false }
            tokens -= 1
            return true
        }
    }

    private var resets = Bucket(capacity: 200, perSecond: 20)
    private var controls = Bucket(capacity: 500, perSecond: 50)
    private var windowUpdates = Bucket(capacity: 10_000, perSecond: 2000)

    /// - Returns: `false` when the client does this too often.
    mutating func allows(_ act: Act, now: NIODeadline) -> Bool {
        switch act {
        case .reset: resets.take(now: now)
        case .control: controls.take(now: now)
        case .windowUpdate: windowUpdates.take(now: now)
        }
    }
}
