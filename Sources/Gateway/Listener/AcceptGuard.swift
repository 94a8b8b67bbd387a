import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sits on the listening socket: bounds the number of connections, and pauses accepting when the process has no
/// descriptor left.
///
/// A listening socket stays readable while `accept` fails with EMFILE, so accepting again at once would spin. Only the
/// channel's `autoRead` takes the socket off the selector: after a failed accept a held back `read` changes nothing.
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let limit: @Sendable () -> Int
    private let counters: GatewayCounters
    private let failures: SetUpFailures?
    private let pause: TimeAmount
    private var isPaused = false

    init(
        limit: @escaping @Sendable @autoclosure () -> Int, counters: GatewayCounters, failures: SetUpFailures? = nil,
        pause: TimeAmount = .milliseconds(200)
    ) {
        self.limit = limit
        self.counters = counters
        self.failures = failures
        self.pause = pause
    }

    func channelActive(context: ChannelHandlerContext) {
        // The bootstrap adds its accepting handler only after its initializer: here it is there, and nobody has come yet.
        if let failures {
            // Fails only for a channel that is closed.
            try? context.pipeline.syncOperations.addHandler(SetUpFailureHandler(failures), position: .last)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        guard counters.connectionOpened(limit: limit()) else {
            counters.connectionRefused(.tooManyConnections)
            counters.limited(.connections)
            connection.close(promise: nil)
            return
        }
        let counters = counters
        connection.closeFuture.whenComplete { _ in counters.connectionClosed() }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.isExhaustion(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        counters.acceptFailed()
        guard !isPaused else { return }
        isPaused = true
        setReading(false, context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: pause) {
            let (handler, context) = bound.value
            handler.isPaused = false
            handler.setReading(true, context)
        }
    }

    private func setReading(_ isOn: Bool, _ context: ChannelHandlerContext) {
        // Fails only for a channel that is closed.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    static func isExhaustion(_ code: CInt) -> Bool {
        code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM || code == ECONNABORTED
    }
}
