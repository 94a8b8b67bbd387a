import Logging
import NIOCore

/// Connections that were accepted and could not be made ready: their clients see a reset, so the reason is logged for the operator.
final class SetUpFailures: Sendable {
    private let counters: GatewayCounters
    private let log: LimitedLog
    private let handshakeLog: LimitedLog

    init(counters: GatewayCounters, logger: Logger) {
        self.counters = counters
        log = LimitedLog(logger)
        handshakeLog = LimitedLog(logger)
    }

    /// The client and the server have not agreed upon TLS; of scanners there are many, so that this is no warning.
    func handshakeFailed(_ error: any Error) {
        counters.connectionRefused(.tlsHandshake)
        handshakeLog.info("a TLS handshake failed", metadata: ["error": "\(error)"])
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
