import RoundhouseRooms
import Synchronization

/// What the gateway counts, for `/metrics`; every label is one of a fixed set.
final class GatewayCounters: Sendable {
    struct RequestKey: Hashable {
        var method: String
        var outcome: String
    }

    struct Snapshot: Sendable {
        var openConnections = 0
        var openSessions = 0
        var acceptedConnections: UInt64 = 0
        /// HTTP version → connections that spoke it.
        var httpConnections: [HTTPVersionName: UInt64] = [:]
        var tlsConnections: UInt64 = 0
        /// HTTP version → WebSockets over it.
        var webSockets: [HTTPVersionName: UInt64] = [:]
        /// What clients did to be cut off their HTTP/2 connection → how many.
        var http2Violations: [String: UInt64] = [:]
        /// Why a connection was not taken or was cut → how many.
        var refusedConnections: [String: UInt64] = [:]
        /// Which limit of the gateway was met → how often.
        var limited: [GatewayLimit: UInt64] = [:]
        /// Why a token gave nothing → how often.
        var refusedTokens: [TokenProblem: UInt64] = [:]
        var acceptFailures: UInt64 = 0
        /// HTTP status → responses.
        var responses: [Int: UInt64] = [:]
        var requests: [RequestKey: UInt64] = [:]
        /// Why a signaling message was not acted upon → how many.
        var rejectedMessages: [String: UInt64] = [:]
        /// WebSocket close code sent or seen → connections.
        var closes: [String: UInt64] = [:]
        var outgoingRequestTimeouts: UInt64 = 0
        var openEventStreams = 0
        /// How Server-Sent Events ended → how many.
        var endedEventStreams: [EventStream.Ending: UInt64] = [:]
        /// What became of clients whose connection broke → how many.
        var resumptions: [ResumptionOutcome: UInt64] = [:]
    }

    /// Seconds from a whole HTTP request to its answer; of a stream, to its beginning.
    let requestTimes = Histogram(bounds: timeBounds)
    /// Seconds from a signaling request to its answer.
    let signalingTimes = Histogram(bounds: timeBounds)
    private static let timeBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    private let state = Mutex(Snapshot())

    func snapshot() -> Snapshot { state.withLock { $0 } }

    /// - Returns: `false`, counting nothing, when `limit` connections are open.
    func connectionOpened(limit: Int) -> Bool {
        state.withLock { state in
            guard state.openConnections < limit else { return false }
            state.openConnections += 1
            state.acceptedConnections &+= 1
            return true
        }
    }

    var openConnections: Int { state.withLock { $0.openConnections } }
    func connectionClosed() { state.withLock { $0.openConnections -= 1 } }
    func versionChosen(_ version: HTTPVersionName) {
        state.withLock { $0.httpConnections[version, default: 0] &+= 1 }
    }
    func tlsEstablished() { state.withLock { $0.tlsConnections &+= 1 } }
    func http2Violated(_ kind: HTTP2Violation.Kind) {
        state.withLock { $0.http2Violations[kind.rawValue, default: 0] &+= 1 }
    }
    func webSocketOpened(_ version: HTTPVersionName) {
        state.withLock { $0.webSockets[version, default: 0] &+= 1 }
    }
    func sessionOpened() { state.withLock { $0.openSessions += 1 } }
    func sessionClosed() { state.withLock { $0.openSessions -= 1 } }
    func acceptFailed() { state.withLock { $0.acceptFailures &+= 1 } }
    func connectionRefused(_ reason: RefusalReason) {
        state.withLock { $0.refusedConnections[reason.rawValue, default: 0] &+= 1 }
    }
    func limited(_ limit: GatewayLimit) { state.withLock { $0.limited[limit, default: 0] &+= 1 } }
    func tokenRefused(_ problem: TokenProblem) { state.withLock { $0.refusedTokens[problem, default: 0] &+= 1 } }
    func responded(status: Int) { state.withLock { $0.responses[status, default: 0] &+= 1 } }
    func requested(method: String, outcome: String) {
        state.withLock { $0.requests[RequestKey(method: method, outcome: outcome), default: 0] &+= 1 }
    }
    func messageRejected(_ reason: RejectionReason) {
        state.withLock { $0.rejectedMessages[reason.rawValue, default: 0] &+= 1 }
    }
    func webSocketClosed(_ code: WebSocketCloseCode) {
        // A client may choose among two thousand codes; as labels they would be two thousand time series.
        let label =
            switch code.rawValue {
            case 1000...1014, WebSocketCloseCode.closedByServer.rawValue: String(code.rawValue)
            default: "other"
            }
        state.withLock { $0.closes[label, default: 0] &+= 1 }
    }
    func eventStreamOpened() { state.withLock { $0.openEventStreams += 1 } }
    func eventStreamEnded(_ ending: EventStream.Ending) {
        state.withLock { state in
            state.openEventStreams -= 1
            state.endedEventStreams[ending, default: 0] &+= 1
        }
    }
    func resumed(_ outcome: ResumptionOutcome) { state.withLock { $0.resumptions[outcome, default: 0] &+= 1 } }
    func outgoingRequestTimedOut() { state.withLock { $0.outgoingRequestTimeouts &+= 1 } }
}
