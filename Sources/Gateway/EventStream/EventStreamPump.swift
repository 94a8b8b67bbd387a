import NIOCore

/// Carries an `EventStream` over its connection, one chunk on its way at a time, so that what waits is counted in one
/// place. Belongs to the connection's event loop.
final class EventStreamPump {
    private static let chunkBytes = 16 * 1024

    private let stream: EventStream
    private let loop: any EventLoop
    private let limits: GatewayLimits
    private let counters: GatewayCounters
    private let write: (ByteBuffer, EventLoopPromise<Void>) -> Void
    private let end: (_ isCut: Bool) -> Void
    private var writingSince: NIODeadline?
    private var isOver = false
    private var ping: Scheduled<Void>?

    /// - Parameters:
    ///   - write: sends bytes, and succeeds the promise when they have left.
    ///   - end: called once: the response is complete, or, cut off, to be broken.
    init(
        _ stream: EventStream, on loop: any EventLoop, limits: GatewayLimits, counters: GatewayCounters,
        write: @escaping (ByteBuffer, EventLoopPromise<Void>) -> Void, end: @escaping (_ isCut: Bool) -> Void
    ) {
        self.stream = stream
        self.loop = loop
        self.limits = limits
        self.counters = counters
        self.write = write
        self.end = end
    }

    func start() {
        counters.eventStreamOpened()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        stream.attach { loop.execute { bound.value.pump() } }
        schedulePing()
        pump()
    }

    /// The client is gone.
    func connectionClosed() { over(.clientLeft) }

    private func pump() {
        guard !isOver, writingSince == nil else { return }
        switch stream.next(limit: Self.chunkBytes) {
        case .wait: break
        case .write(let bytes): send(bytes)
        case .end:
            over(.finished)
            end(false)
        case .cut: cut()
        }
    }

    private func send(_ bytes: ByteBuffer) {
        writingSince = loop.now
        let promise = loop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: loop)
        promise.futureResult.whenComplete { result in
            // Not from within `write`: a fast client's chunks would nest.
            bound.value.loop.execute { bound.value.written(result) }
        }
        write(bytes, promise)
    }

    private func written(_ result: Result<Void, any Error>) {
        writingSince = nil
        if case .failure = result { return over(.clientLeft) }
        pump()
    }

    private func schedulePing() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ping = loop.scheduleTask(in: TimeAmount(limits.commentInterval)) { bound.value.pingDue() }
    }

    private func pingDue() {
        guard !isOver else { return }
        if let writingSince {
            if loop.now - writingSince >= TimeAmount(limits.silenceTimeout) { return cut() }
        } else {
            send(ServerSentEvent.ping)
        }
        schedulePing()
    }

    private func cut() {
        guard !isOver else { return }
        over(.tooSlow)
        end(true)
    }

    private func over(_ ending: EventStream.Ending) {
        guard !isOver else { return }
        isOver = true
        counters.eventStreamEnded(ending)
        ping?.cancel()
        stream.attach {}
        stream.connectionClosed(ending)
    }
}
