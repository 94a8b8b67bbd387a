/// Events that wait to be polled, oldest first. Empty, it holds no memory to speak of.
struct SCTPEventQueue {
    private var events: [SCTPEvent] = []
    private var head = 0

    var isEmpty: Bool { head == events.count }

    mutating func append(_ event: SCTPEvent) { events.append(event) }

    mutating func removeFirst() -> SCTPEvent? {
        guard head < events.count else { return nil }
        let event = events[head]
        // A message's bytes are let go at once.
        events[head] = .connected
        head += 1
        if head == events.count {
            events.removeAll(keepingCapacity: events.capacity <= 32)
            head = 0
        }
        return event
    }
}
