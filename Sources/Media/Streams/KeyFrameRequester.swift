/// Merges key frame requests for one received SSRC: one pending at a time, repeated until it is answered or nobody waits.
///
///     idle ──needed──▶ pending (send) ──1, 2, 4 s, then every 5 s──▶ pending (send, while somebody waits; else idle)
///     key frame received: idle
///
/// Requests and key frames get lost, and a sender may be silent meanwhile; so who waits says so again and again
/// (`renewed`), and is forgotten when it does not. A new request has the next repetition within a second of the last.
///
/// After a key frame the next one is not asked for before a time that depends on why it is needed (`Urgency`): what is lost or
/// wanted meanwhile is kept, and the next one serves all. With a hold-off, a request within that time of the previous one
/// waits for its end too.
///
/// Call `deadlineReached` at `nextDeadline`; `true` always means "send one request now".
struct KeyFrameRequester {
    /// The least time from one request to the next while there is no answer, doubled after each up to the longest.
    static let retryDelay = MediaDuration.milliseconds(1000)
    static let longestRetryDelay = MediaDuration.milliseconds(5000)
    /// How long a need counts that is not renewed. Less than a retry takes, so that what has ended is not asked for; and less
    /// than every `Urgency.distance`, so that a request from another shard that crosses a key frame asks for no second one.
    static let lease = MediaDuration.milliseconds(450)

    /// Why somebody needs a key frame, and so how soon after the last one.
    enum Urgency {
        /// A picture stands still, or is wanted in other layers, or a program asked: soon, but an encoder is to be left
        /// time for pictures that need fewer bytes.
        case change
        /// A receiver joins, and there is no group of pictures to start it with.
        case joining

        /// The least time after a key frame.
        var distance: MediaDuration {
            switch self {
            case .change: .milliseconds(500)
            case .joining: RetransmissionBuffer.videoWindow
            }
        }
    }

    fileprivate enum State {
        case idle
        /// - retry: the time from the last request to `until`.
        case pending(since: MediaInstant, until: MediaInstant, retry: MediaDuration)
    }

    fileprivate enum HoldOff {
        case off
        case holding(until: MediaInstant, isRequested: Bool)
    }

    private var state = State.idle
    private var holdOff = HoldOff.off
    private var lastKeyFrame: MediaInstant?
    /// When those who can wait have waited long enough.
    private var deferred: MediaInstant?
    /// Until when somebody is known to wait.
    private var neededUntil = MediaInstant(nanoseconds: 0)
    /// The producer's `keyFrameRequestDelay`; zero disables the hold-off.
    private let delay: MediaDuration

    init(delay: MediaDuration = .zero) { self.delay = delay }

    var isPending: Bool {
        if case .pending = state { true } else { false }
    }

    var nextDeadline: MediaInstant? {
        var deadline: MediaInstant?
        if case .pending(_, let until, _) = state { deadline = until }
        if case .holding(let until, _) = holdOff { deadline = earliest(deadline, until) }
        return earliest(deadline, deferred)
    }

    /// Somebody needs a key frame.
    mutating func requested(for urgency: Urgency = .change, at now: MediaInstant) -> Bool {
        neededUntil = max(neededUntil, now + Self.lease)
        return request(for: urgency, at: now)
    }

    /// Somebody still needs the key frame that was asked for.
    mutating func renewed(for urgency: Urgency = .change, at now: MediaInstant) -> Bool {
        neededUntil = max(neededUntil, now + Self.lease)
        // What is idle has been served, or has lost a request on its way from another shard.
        return nextDeadline == nil ? request(for: urgency, at: now) : false
    }

    /// A key frame is needed whatever was asked before (a new stream, an overflowing NACK list).
    mutating func forced(at now: MediaInstant) -> Bool {
        if delay > .zero { holdOff = .holding(until: now + delay, isRequested: false) }
        // Once more if this is lost; then who waits will have said so.
        neededUntil = max(neededUntil, now + Self.retryDelay + Self.lease)
        deferred = nil
        state = .pending(since: now, until: now + Self.retryDelay, retry: Self.retryDelay)
        return true
    }

    /// The sender had been silent and is not any more: what it did not hear is asked for again soon.
    mutating func senderReturned(at now: MediaInstant) { hasten(at: now) }

    mutating func keyFrameReceived(at now: MediaInstant) {
        state = .idle
        lastKeyFrame = now
        deferred = nil
        neededUntil = MediaInstant(nanoseconds: 0)
        if case .holding(let until, _) = holdOff { holdOff = .holding(until: until, isRequested: false) }
    }

    mutating func deadlineReached(at now: MediaInstant) -> Bool {
        var mustSend = false
        let isNeeded = now <= neededUntil
        if let deferred, now >= deferred {
            self.deferred = nil
            if isNeeded, request(for: .change, at: now) { mustSend = true }
        }
        if case .pending(_, let until, let retry) = state, now >= until {
            let next = min(retry * 2, Self.longestRetryDelay)
            state = isNeeded ? .pending(since: now, until: now + next, retry: next) : .idle
            if isNeeded { mustSend = true }
        }
        if case .holding(let until, let isRequested) = holdOff, now >= until {
            if isRequested, isNeeded, !isPending {
                holdOff = .holding(until: now + delay, isRequested: false)
                mustSend = send(at: now)
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
        neededUntil = MediaInstant(nanoseconds: 0)
    }

    private mutating func request(for urgency: Urgency, at now: MediaInstant) -> Bool {
        if case .pending(let since, _, _) = state {
            if now - since >= Self.retryDelay { return send(at: now) }
            hasten(at: now)
            return false
        }
        if let lastKeyFrame, now - lastKeyFrame < urgency.distance {
            deferred = earliest(deferred, lastKeyFrame + urgency.distance)
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
        return send(at: now)
    }

    private mutating func send(at now: MediaInstant) -> Bool {
        state = .pending(since: now, until: now + Self.retryDelay, retry: Self.retryDelay)
        return true
    }

    /// The next repetition comes a second after the last, or now.
    private mutating func hasten(at now: MediaInstant) {
        guard case .pending(let since, let until, _) = state else { return }
        let soon = max(since + Self.retryDelay, now)
        state = .pending(since: since, until: min(until, soon), retry: Self.retryDelay)
    }
}

// MARK: Snapshot

extension KeyFrameRequester: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        delay = try reader.read()
        state = try reader.read()
        holdOff = try reader.read()
        lastKeyFrame = try reader.readOptional()
        deferred = try reader.readOptional()
        neededUntil = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(delay)
        writer.write(state)
        writer.write(holdOff)
        writer.writeOptional(lastKeyFrame)
        writer.writeOptional(deferred)
        writer.write(neededUntil)
    }
}

extension KeyFrameRequester.State: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 0: self = .idle
        case 1:
            let since: MediaInstant = try reader.read()
            // A retry without a delay would be due again and again.
            self = .pending(
                since: since, until: try reader.read(),
                retry: try reader.read(in: KeyFrameRequester.retryDelay...KeyFrameRequester.longestRetryDelay))
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .idle: writer.writeUInt8(0)
        case .pending(let since, let until, let retry):
            writer.writeUInt8(1)
            writer.write(since)
            writer.write(until)
            writer.write(retry)
        }
    }
}

extension KeyFrameRequester.HoldOff: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 0: self = .off
        case 1: self = .holding(until: try reader.read(), isRequested: try reader.read())
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .off: writer.writeUInt8(0)
        case .holding(let until, let isRequested):
            writer.writeUInt8(1)
            writer.write(until)
            writer.write(isRequested)
        }
    }
}
