import NIOCore

/// One timer for whatever is due next. One that fires early finds nothing to do, and is set again.
struct DeadlineTimer {
    private var scheduled: Scheduled<Void>?
    private var deadline = NIODeadline.distantFuture

    /// Sets the timer, unless it fires before `deadline` anyway.
    mutating func schedule(_ deadline: NIODeadline, on eventLoop: any EventLoop, _ fire: @escaping @Sendable () -> Void)
    {
        guard scheduled == nil || deadline < self.deadline else { return }
        scheduled?.cancel()
        self.deadline = deadline
        scheduled = eventLoop.scheduleTask(deadline: deadline, fire)
    }

    /// The timer has fired.
    mutating func fired() { scheduled = nil }

    mutating func cancel() {
        scheduled?.cancel()
        scheduled = nil
    }
}
