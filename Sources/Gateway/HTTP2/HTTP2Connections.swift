import NIOCore
import Synchronization

/// The open HTTP/2 connections, so that all can be made to drain.
final class HTTP2Connections: Sendable {
    private struct State {
        var handlers: [ObjectIdentifier: (loop: any EventLoop, handler: NIOLoopBound<HTTP2Handler>)] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())

    /// Call it on the channel's event loop.
    func opened(_ handler: HTTP2Handler, on channel: any Channel) {
        let id = ObjectIdentifier(handler)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        let isDraining = state.withLock { state in
            state.handlers[id] = (channel.eventLoop, bound)
            return state.isDraining
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.handlers[id] = nil } }
        if isDraining { handler.drain() }
    }

    /// Sends every connection a GOAWAY; those that come later get theirs at once.
    func drain() {
        let handlers = state.withLock { state in
            state.isDraining = true
            return Array(state.handlers.values)
        }
        for (loop, handler) in handlers { loop.execute { handler.value.drain() } }
    }
}
