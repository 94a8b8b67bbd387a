/// Merges key frame requests for one received SSRC: one pending at a time, repeated once when unanswered.
///
///     idle ──needed──▶ pending (send) ──1000 ms──▶ pending, last try (send) ──1000 ms──▶ idle
///                         ◀─────────── needed: the repeat is armed again ──┘
///     key frame received: idle
///
/// An unanswered request is repeated even when nobody asked again meanwhile: a PLI travels unacknowledged, so the one who
/// asked may be waiting for an answer to a packet that was lost, and has no reason to ask twice. (mediasoup repeats only
/// what was asked for again.) The repeat is spent after one try, so a sender that cannot answer is not flooded.
///
/// Who can wait does so where a key frame has come a short while ago (`Need`): the next one serves them all.
///
/// With a hold-off, a request within that time of the previous one waits for its end.
/// Call `deadlineReached` at `nextDeadline`; `true` always means "send one request now".
struct KeyFrameRequester {
    static let retryDelay = MediaDuration.milliseconds(1000)

    /// Why somebody needs a key frame, and so how soon after the last one.
    enum Need: UInt8 {
        /// A picture stands still, or is wanted in other layers, or a program asked: at once.
        case change
        /// A receiver joins, and there is no group of pictures to start it with.
        case joining

        /// The least time after a key frame.
        var distance: MediaDuration {
            switch self {
            case .change: .zero
            case .joining: RetransmissionBuffer.videoWindow
            }
        }
    }

    private enum State {
        case idle
        case pending(until: MediaInstant, repeats: Bool)
    }

    private enum HoldOff {
        case off
        case holding(until: MediaInstant, isRequested: Bool)
    }

    private var state = State.idle
    private var holdOff = HoldOff.off
    private var lastKeyFrame: MediaInstant?
    /// When those who can wait have waited long enough.
    private var deferred: MediaInstant?
    /// The producer's `keyFrameRequestDelay`; zero disables the hold-off.
    private let delay: MediaDuration

    init(delay: MediaDuration = .zero) { self.delay = delay }

    var isPending: Bool {
        if case .pending = state { true } else { false }
    }

    var nextDeadline: MediaInstant? {
        var deadline: MediaInstant?
        if case .pending(let until, _) = state { deadline = until }
        if case .holding(let until, _) = holdOff { deadline = earliest(deadline, until) }
        return earliest(deadline, deferred)
    }

    /// Somebody needs a key frame.
    mutating func requested(for need: Need = .change, at now: MediaInstant) -> Bool {
        if let lastKeyFrame, now - lastKeyFrame < need.distance, !isPending {
            deferred = earliest(deferred, lastKeyFrame + need.distance)
            return false
        }
        deferred = nil
        if delay > .zero {
            if case .holding(let until, _) = holdOff, now < until {
                holdOff = .holding(until: until, isRequested: true)
                return false
            }
            holdOff = .holding(until: now + delay, isRequested: false)
        }
        return request(at: now)
    }

    /// A key frame is needed whatever was asked before (a new stream, an overflowing NACK list).
    mutating func forced(at now: MediaInstant) -> Bool {
        if delay > .zero { holdOff = .holding(until: now + delay, isRequested: false) }
        state = .pending(until: now + Self.retryDelay, repeats: true)
        return true
    }

    mutating func keyFrameReceived(at now: MediaInstant) {
        state = .idle
        lastKeyFrame = now
        deferred = nil
    }

    mutating func deadlineReached(at now: MediaInstant) -> Bool {
        var mustSend = false
        if let deferred, now >= deferred, requested(at: now) { mustSend = true }
        if case .pending(let until, let repeats) = state, now >= until {
            state = repeats ? .pending(until: now + Self.retryDelay, repeats: false) : .idle
            mustSend = repeats
        }
        if case .holding(let until, let isRequested) = holdOff, now >= until {
            if isRequested {
                holdOff = .holding(until: now + delay, isRequested: false)
                if request(at: now) { mustSend = true }
            } else {
                holdOff = .off
            }
        }
        return mustSend
    }

    /// Forgets everything (the producer was paused or closed).
    mutating func reset() {
        state = .idle
        holdOff = .off
        lastKeyFrame = nil
        deferred = nil
    }

    private mutating func request(at now: MediaInstant) -> Bool {
        if case .pending(let until, _) = state, now < until {
            state = .pending(until: until, repeats: true)
            return false
        }
        state = .pending(until: now + Self.retryDelay, repeats: true)
        return true
    }
}
