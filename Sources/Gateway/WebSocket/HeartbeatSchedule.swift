import NIOCore

/// One event loop's heartbeats: a timer for each moment, however many clients wait for it. Belongs to the loop.
///
/// A timer for each of thousands of silent clients keeps the loop busy with sorting them.
final class HeartbeatSchedule {
    private struct Entry {
        weak var handler: WebSocketHandler?
    }

    private let loop: any EventLoop
    private var waiting: [NIODeadline: [Entry]] = [:]

    init(_ loop: any EventLoop) { self.loop = loop }

    /// How many moments somebody waits for.
    var momentCount: Int { waiting.count }

    /// Has a handler's heartbeat come at a moment, unless it is gone by then.
    func add(_ handler: WebSocketHandler, at moment: NIODeadline) {
        if waiting[moment] == nil {
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(deadline: moment) { bound.value.come(moment) }
        }
        waiting[moment, default: []].append(Entry(handler: handler))
    }

    private func come(_ moment: NIODeadline) {
        for entry in waiting.removeValue(forKey: moment) ?? [] { entry.handler?.heartbeatDue() }
    }
}
