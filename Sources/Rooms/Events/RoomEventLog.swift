import Synchronization

/// The events of all rooms in one order: the newest are kept for late subscribers, and every subscriber is notified.
public final class RoomEventLog: Sendable {
    /// A subscriber to events.
    public struct Subscription: Sendable, Hashable {
        let number: UInt64
    }

    /// How a subscription began.
    public struct SubscriptionStart: Sendable {
        /// For `unsubscribe`.
        public let subscription: Subscription
        /// The newest event before those that are delivered.
        public let position: RoomEventID
        /// Events between the one asked for and the first delivered are forgotten.
        public let hasGap: Bool
    }

    private struct Subscriber {
        let room: RoomID?
        let deliver: @Sendable (RoomEvent) -> Bool
    }

    private struct State {
        var last: UInt64 = 0
        /// The events after `last - kept.count`, oldest first; up to twice as many as are promised.
        var kept: [RoomEvent] = []
        var subscribers: [Subscription: Subscriber] = [:]
        var lastSubscription: UInt64 = 0
    }

    private let state = Mutex(State())
    private let epoch: UInt32
    private let capacity: Int

    /// - Parameters:
    ///   - epoch: another for every life of the server.
    ///   - capacity: how many events are kept.
    init(epoch: UInt32 = 0, capacity: Int = 4096) {
        self.epoch = epoch
        self.capacity = capacity
    }

    /// How many events there have been.
    public var count: UInt64 { state.withLock { $0.last } }

    /// Appends a room's events and notifies the subscribers; they are called with the lock held, so that all see one order.
    func append(_ kinds: [RoomEvent.Kind], of room: RoomID, after sequence: UInt64, time: Int64) -> [RoomEvent] {
        state.withLock { state in
            var events: [RoomEvent] = []
            events.reserveCapacity(kinds.count)
            for (index, kind) in kinds.enumerated() {
                state.last += 1
                events.append(
                    RoomEvent(
                        id: RoomEventID(epoch: epoch, number: state.last), room: room,
                        sequence: sequence &+ UInt64(index) &+ 1, time: time, kind: kind))
            }
            state.kept += events
            // Twice the capacity, then half of it goes: moving the rest costs nothing by the event.
            if state.kept.count > 2 * capacity { state.kept.removeFirst(state.kept.count - capacity) }
            for (id, subscriber) in state.subscribers where subscriber.room == nil || subscriber.room == room {
                for event in events where !subscriber.deliver(event) {
                    state.subscribers[id] = nil
                    break
                }
            }
            return events
        }
    }

    /// Begins to deliver events: first those after the given one as far as they are kept, then each as it happens.
    /// - Parameters:
    ///   - lastSeen: where the subscriber stopped reading before; without, it gets only what happens from now on. Of
    ///     another life of the server, or no identifier at all, everything that is kept is delivered.
    ///   - room: only this room's events.
    ///   - begin: called once, before any event.
    ///   - deliver: called in order, from any thread; must not block nor call the log. `false` ends the subscription.
    public func subscribe(
        after lastSeen: String? = nil, room: RoomID? = nil, begin: (SubscriptionStart) -> Void,
        deliver: @escaping @Sendable (RoomEvent) -> Bool
    ) {
        state.withLock { state in
            let oldest = state.last - UInt64(state.kept.count)
            var from = state.last
            var hasGap = false
            if let lastSeen {
                if let id = RoomEventID(lastSeen), id.epoch == epoch, (oldest...state.last).contains(id.number) {
                    from = id.number
                } else {
                    from = oldest
                    hasGap = true
                }
            }
            state.lastSubscription += 1
            let subscription = Subscription(number: state.lastSubscription)
            begin(
                SubscriptionStart(
                    subscription: subscription, position: RoomEventID(epoch: epoch, number: from), hasGap: hasGap))
            for event in state.kept.suffix(Int(state.last - from)) where room == nil || event.room == room {
                if !deliver(event) { return }
            }
            state.subscribers[subscription] = Subscriber(room: room, deliver: deliver)
        }
    }

    /// Ends a subscription. Must not be called from within `deliver`.
    public func unsubscribe(_ subscription: Subscription) { state.withLock { $0.subscribers[subscription] = nil } }
}
