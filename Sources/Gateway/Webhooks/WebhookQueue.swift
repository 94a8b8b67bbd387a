import RoundhouseRooms

/// The events that wait for one receiver: which are sent next, again, or not at all.
///
/// A machine: time is an argument, in milliseconds. Events leave in their order and several at a time. A delivery is tried until it
/// is taken or refused for good; whatever comes meanwhile waits, the oldest giving way where there is no more room.
struct WebhookQueue {
    /// One request's events; the same at each try.
    struct Delivery: Equatable {
        /// The first event's, and so the same at each try and no other's.
        let id: String
        /// The events as a JSON object.
        let body: [UInt8]
        let count: Int
    }

    enum Next: Equatable {
        case deliver(Delivery)
        /// Milliseconds.
        case wait(Int64)
        case nothing
    }

    /// How a try ended.
    enum Outcome: Equatable {
        case taken
        /// The receiver will never take it: another try would hold up all that follow.
        case refused
        /// It may take it later.
        case failed

        /// - Parameter status: the answer's; `nil` without one.
        init(status: Int?) {
            switch status {
            case .some(200..<300): self = .taken
            case 400, 410, 413, 422: self = .refused
            default: self = .failed
            }
        }
    }

    /// Why an event was never delivered.
    enum Loss: String, CaseIterable { case overflow, refused, shutdown }

    private struct Event {
        let id: String
        let json: [UInt8]
    }

    static let eventsPerDelivery = 100
    static let bytesPerDelivery = 262_144
    /// What an event takes beside its bytes.
    private static let overhead = 96
    static let longestWait: Int64 = 30_000

    /// Of all that waits.
    private let mostBytes: Int
    private var events: [Event] = []
    /// Of `events` that are delivered or lost.
    private var passed = 0
    private var bytes = 0
    private var current: Delivery?
    private var tries = 0
    private var notBefore: Int64 = 0
    private(set) var losses: [Loss: UInt64] = [:]
    private(set) var outcomes: (taken: UInt64, failed: UInt64, refused: UInt64) = (0, 0, 0)

    /// - Parameter mostBytes: forty thousand events; five minutes in which a hundred come each second are thirty thousand.
    init(mostBytes: Int = 16_777_216) { self.mostBytes = mostBytes }

    /// Events that wait, those that are being sent included.
    var count: Int { events.count - passed }

    /// Whether the last try failed.
    var isFailing: Bool { tries > 0 }

    mutating func append(id: String, json: [UInt8]) {
        // What is being sent stays, since it may have arrived: those after it give way, many at once, since the rest moves up.
        let first = passed + (current?.count ?? 0)
        while bytes + json.count + Self.overhead > mostBytes, events.count > first {
            let victims = events[first..<first + max(1, (events.count - first) / 16)]
            for event in victims { bytes -= event.json.count + Self.overhead }
            losses[.overflow, default: 0] &+= UInt64(victims.count)
            events.removeSubrange(victims.indices)
        }
        events.append(Event(id: id, json: json))
        bytes += json.count + Self.overhead
    }

    mutating func next(now: Int64) -> Next {
        guard count > 0 else { return .nothing }
        guard notBefore <= now else { return .wait(notBefore - now) }
        if current == nil { current = delivery() }
        return current.map { .deliver($0) } ?? .nothing
    }

    private func delivery() -> Delivery? {
        guard let first = events[passed...].first else { return nil }
        var body = Array("{\"events\":[".utf8)
        var taken = 0
        for event in events[passed...].prefix(Self.eventsPerDelivery) {
            guard taken == 0 || body.count + event.json.count < Self.bytesPerDelivery else { break }
            if taken > 0 { body.append(UInt8(ascii: ",")) }
            body += event.json
            taken += 1
        }
        body += Array("],\"id\":\"\(first.id)\"}".utf8)
        return Delivery(id: first.id, body: body, count: taken)
    }

    mutating func ended(_ outcome: Outcome, now: Int64) {
        guard let delivery = current else { return }
        switch outcome {
        case .failed:
            outcomes.failed &+= 1
            notBefore = now + min(1000 << Int64(min(tries, 5)), Self.longestWait)
            tries += 1
            return
        case .refused:
            outcomes.refused &+= 1
            losses[.refused, default: 0] &+= UInt64(delivery.count)
        case .taken: outcomes.taken &+= 1
        }
        current = nil
        tries = 0
        notBefore = now
        for event in events[passed..<passed + delivery.count] { bytes -= event.json.count + Self.overhead }
        passed += delivery.count
        if passed > 1024, passed > events.count / 2 {
            events.removeFirst(passed)
            passed = 0
        }
    }

    /// Gives up what waits.
    mutating func end() {
        losses[.shutdown, default: 0] &+= UInt64(count)
        events = []
        (passed, bytes, current) = (0, 0, nil)
    }
}
