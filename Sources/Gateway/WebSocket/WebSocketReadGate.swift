import NIOCore
import Synchronization

/// Says whether the socket is read: closed while the client's messages pile up.
final class WebSocketReadGate: NIOAsyncSequenceProducerDelegate, Sendable {
    private let isPaused = Atomic<Bool>(false)
    private let eventLoop: any EventLoop
    private let resume: @Sendable () -> Void
    private let terminated: @Sendable () -> Void

    /// - Parameters:
    ///   - resume: called on the event loop when reading may go on.
    ///   - terminated: called on the event loop when nobody reads the messages any more.
    init(
        eventLoop: any EventLoop, resume: @escaping @Sendable () -> Void, terminated: @escaping @Sendable () -> Void
    ) {
        self.eventLoop = eventLoop
        self.resume = resume
        self.terminated = terminated
    }

    var isOpen: Bool { !isPaused.load(ordering: .acquiring) }
    func pause() { isPaused.store(true, ordering: .releasing) }

    func produceMore() {
        // On the loop, so that it cannot overtake the `pause` of the message that filled the queue.
        eventLoop.execute {
            self.isPaused.store(false, ordering: .releasing)
            self.resume()
        }
    }

    func didTerminate() { eventLoop.execute(terminated) }
}
