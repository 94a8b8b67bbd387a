import NIOCore
import RoundhouseRooms

/// Allows a rate, and for a while more than that.
///
/// A machine: time is an argument.
struct TokenBucket: Sendable {
    private var tokens: Double
    private var updated: NIODeadline

    /// Full at first.
    init(rate: RateLimit, now: NIODeadline) {
        tokens = Double(rate.burst)
        updated = now
    }

    /// Takes one.
    /// - Returns: `nil`, or the seconds after which there will be one.
    mutating func take(_ rate: RateLimit, now: NIODeadline) -> Int? {
        fill(rate, now)
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        return max(1, Int(((1 - tokens) / Double(rate.perSecond)).rounded(.up)))
    }

    /// Takes as much as was asked for if there is anything.
    /// - Returns: `nil`, or the seconds after which there will be something.
    mutating func take(upTo count: Int, _ rate: RateLimit, now: NIODeadline) -> Int? {
        fill(rate, now)
        guard tokens <= 0 else {
            tokens -= Double(count)
            return nil
        }
        return max(1, Int((-tokens / Double(rate.perSecond)).rounded(.up)))
    }

    /// Takes as much as was asked for, also what is not there.
    /// - Returns: how long it takes until that is made up for.
    mutating func borrow(_ count: Int, _ rate: RateLimit, now: NIODeadline) -> TimeAmount {
        fill(rate, now)
        tokens -= Double(count)
        return .nanoseconds(Int64((max(0, -tokens) / Double(rate.perSecond) * 1e9).rounded()))
    }

    /// What was taken for nothing.
    mutating func giveBack(_ count: Int, _ rate: RateLimit) {
        tokens = min(Double(rate.burst), tokens + Double(count))
    }

    /// Whether it holds nothing that a new one would not.
    func isFull(_ rate: RateLimit, now: NIODeadline) -> Bool {
        var copy = self
        copy.fill(rate, now)
        return copy.tokens >= Double(rate.burst)
    }

    private mutating func fill(_ rate: RateLimit, _ now: NIODeadline) {
        guard now > updated else { return }
        let seconds = Double((now - updated).nanoseconds) / 1e9
        tokens = min(Double(rate.burst), tokens + seconds * Double(rate.perSecond))
        updated = now
    }
}

extension RoomError {
    static func tooFast(_ rate: RateLimit) -> RoomError {
        RoomError(.rateLimited, "more than \(rate.perSecond) requests a second: ask again later")
    }
}
