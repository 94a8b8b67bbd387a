import Logging
import NIOCore

/// Connections that were accepted and could not be made ready: their clients see a reset, so the reason is logged for the operator.
final class SetUpFailures: Sendable {
    private let counters: GatewayCounters
    private let log: LimitedLog

    init(counters: GatewayCounters, logger: Logger) {
        self.counters = counters
        log = LimitedLog(logger)
    }

    func occurred(_ error: any Error) {
        switch error {
        // Refused on purpose, and counted where that was decided; or either side has gone meanwhile.
        case is ConnectionRefused, ChannelError.ioOnClosedChannel, ChannelError.eof, ChannelError.alreadyClosed: return
        default: break
        }
        counters.connectionRefused(.setUpFailed)
        log.warning("a connection could not be set up", metadata: ["error": "\(error)"])
    }
}

/// Thrown to close a connection that is one too many.
struct ConnectionRefused: Error {}
