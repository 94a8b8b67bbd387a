import HTTPTypes
import RoundhouseRooms

/// Everything that is answered over HTTP: a case for each kind of path, with its methods and what each asks of a client.
///
/// The router answers nothing else. `EndpointAccessTests` tries every case with every method, every grant, and objects of one's
/// own and of others: a new case compiles only with a path, methods and a rule here, and is tried there.
enum Endpoint: CaseIterable, Sendable {
    case health, readiness, metrics, asset
    case roomList, room
    case roomName, roomExistence, passwordCheck
    case socketIO
    case whip, whep, whipSession, whepSession
    case peer, peerRequests, peerResponses, peerEvents
    case broadcasters, broadcaster, broadcasterJoin, broadcasterInfos
    case broadcasterProducers, broadcasterConsumers, broadcasterConsumerResume
    case broadcasterTransports, broadcasterConnect, broadcasterPlainConnect
    case broadcasterTransportProducers, broadcasterConsume, broadcasterConsumeData, broadcasterProduceData
    case stateRooms, stateRoom, stateSnapshot, stateRoomEvents, stateMinutes, statePeers, statePeer
    case stateExplanation, stateExplanationEvents, stateRecording, stateTransports, stateTransport
    case stateProducers, stateProducer, statePause, stateResume, stateConsumers, stateConsumer, stateServer,
        stateShards, stateEvents
    case stateAllPeers, stateMute, stateLock, stateUnlock, stateMessages, stateInvites, stateBans, stateBan,
        statePeerBan, stateHistory, stateRecord, stateAudit

    /// The segments of its paths; what is in braces is any one segment. `nil`: the files there are.
    var pattern: String? {
        switch self {
        case .health: "/healthz"
        case .readiness: "/readyz"
        case .metrics: "/metrics"
        case .asset: nil
        case .roomList: "/rooms"
        case .room: "/rooms/{room}"
        case .roomName: "/createValidRoomId"
        case .roomExistence: "/isRoomExisted"
        case .passwordCheck: "/checkPassword"
        case .socketIO: "/socket.io"
        case .whip: "/whip/{room}"
        case .whep: "/whep/{room}"
        case .whipSession: "/whip/{room}/{session}"
        case .whepSession: "/whep/{room}/{session}"
        case .peer: "/rooms/{room}/peers/{peer}"
        case .peerRequests: "/rooms/{room}/peers/{peer}/requests"
        case .peerResponses: "/rooms/{room}/peers/{peer}/responses"
        case .peerEvents: "/rooms/{room}/peers/{peer}/events"
        case .broadcasters: "/rooms/{room}/broadcasters"
        case .broadcaster: "/rooms/{room}/broadcasters/{peer}"
        case .broadcasterJoin: "/rooms/{room}/broadcasters/{peer}/join"
        case .broadcasterInfos: "/rooms/{room}/broadcasters/{peer}/peerProducersInfos"
        case .broadcasterProducers: "/rooms/{room}/broadcasters/{peer}/producers"
        case .broadcasterConsumers: "/rooms/{room}/broadcasters/{peer}/consumers"
        case .broadcasterConsumerResume: "/rooms/{room}/broadcasters/{peer}/consumers/{consumer}/resume"
        case .broadcasterTransports: "/rooms/{room}/broadcasters/{peer}/transports"
        case .broadcasterConnect: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/connect"
        case .broadcasterPlainConnect: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/plain-connect"
        case .broadcasterTransportProducers: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/producers"
        case .broadcasterConsume: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/consume"
        case .broadcasterConsumeData: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/consume/data"
        case .broadcasterProduceData: "/rooms/{room}/broadcasters/{peer}/transports/{transport}/produce/data"
        case .stateRooms: "/api/v1/rooms"
        case .stateRoom: "/api/v1/rooms/{room}"
        case .stateSnapshot: "/api/v1/rooms/{room}/snapshot"
        case .stateRoomEvents: "/api/v1/rooms/{room}/events"
        case .stateMinutes: "/api/v1/rooms/{room}/minutes"
        case .statePeers: "/api/v1/rooms/{room}/peers"
        case .statePeer: "/api/v1/rooms/{room}/peers/{peer}"
        case .stateExplanation: "/api/v1/rooms/{room}/peers/{peer}/why"
        case .stateExplanationEvents: "/api/v1/rooms/{room}/peers/{peer}/why/events"
        case .stateRecording: "/api/v1/rooms/{room}/peers/{peer}/recording"
        case .stateTransports: "/api/v1/rooms/{room}/transports"
        case .stateTransport: "/api/v1/rooms/{room}/transports/{transport}"
        case .stateProducers: "/api/v1/rooms/{room}/producers"
        case .stateProducer: "/api/v1/rooms/{room}/producers/{producer}"
        case .statePause: "/api/v1/rooms/{room}/producers/{producer}/pause"
        case .stateResume: "/api/v1/rooms/{room}/producers/{producer}/resume"
        case .stateConsumers: "/api/v1/rooms/{room}/consumers"
        case .stateConsumer: "/api/v1/rooms/{room}/consumers/{consumer}"
        case .stateServer: "/api/v1/server"
        case .stateShards: "/api/v1/shards"
        case .stateEvents: "/api/v1/events"
        case .stateAllPeers: "/api/v1/peers"
        case .stateHistory: "/api/v1/history"
        case .stateRecord: "/api/v1/history/{record}"
        case .stateAudit: "/api/v1/audit"
        case .stateMute: "/api/v1/rooms/{room}/mute"
        case .stateLock: "/api/v1/rooms/{room}/lock"
        case .stateUnlock: "/api/v1/rooms/{room}/unlock"
        case .stateMessages: "/api/v1/rooms/{room}/messages"
        case .stateInvites: "/api/v1/rooms/{room}/invites"
        case .stateBans: "/api/v1/rooms/{room}/bans"
        case .stateBan: "/api/v1/rooms/{room}/bans/{ban}"
        case .statePeerBan: "/api/v1/rooms/{room}/peers/{peer}/ban"
        }
    }

    /// What may be done with it. HEAD goes with GET, and OPTIONS with everything.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .health, .readiness, .metrics, .asset, .roomList, .room, .peerEvents, .broadcasterInfos,
            .stateSnapshot, .stateAllPeers, .stateBans, .stateHistory, .stateRecord, .stateAudit, .stateRoomEvents,
            .stateMinutes,
            .statePeers, .stateExplanation,
            .stateExplanationEvents,
            .stateTransports, .stateProducers, .stateProducer, .stateConsumers, .stateConsumer,
            .stateServer, .stateShards, .stateEvents:
            [.get]
        case .roomName, .roomExistence, .passwordCheck, .whip, .whep, .peerRequests, .peerResponses, .broadcasters,
            .broadcasterJoin, .broadcasterProducers, .broadcasterConsumers, .broadcasterConsumerResume,
            .broadcasterTransports, .broadcasterConnect, .broadcasterPlainConnect, .broadcasterTransportProducers,
            .broadcasterConsume, .broadcasterConsumeData, .broadcasterProduceData, .statePause, .stateResume,
            .stateMute, .stateLock, .stateUnlock, .stateMessages, .stateInvites, .statePeerBan:
            [.post]
        case .socketIO: [.get, .post]
        case .whipSession, .whepSession: [.patch, .delete]
        case .peer, .broadcaster: [.delete]
        case .stateRooms: [.get, .post]
        case .stateRoom: [.get, .delete]
        case .statePeer: [.get, .patch, .delete]
        case .stateTransport: [.get, .patch]
        case .stateBan: [.delete]
        case .stateRecording: [.get, .post, .delete]
        }
    }

    /// What a request has to show.
    var rule: AccessRule {
        switch self {
        case .health, .readiness, .asset: .nothing
        case .metrics: .metrics
        case .roomList: .administrator
        case .room: .roomOrOperator
        case .roomName, .roomExistence, .passwordCheck: .anyToken
        case .socketIO: .connection
        case .whip: .entry(.publish)
        case .whep: .entry(.subscribe)
        case .whipSession, .whepSession, .peer, .peerResponses, .peerEvents: .session
        case .peerRequests: .entryOrSession
        case .broadcasters: .entry([])
        case .broadcaster, .broadcasterJoin, .broadcasterInfos, .broadcasterTransports, .broadcasterConnect,
            .broadcasterPlainConnect:
            .maker([])
        case .broadcasterProduceData: .maker(.data)
        case .broadcasterProducers, .broadcasterTransportProducers: .maker(.publish)
        case .broadcasterConsumers, .broadcasterConsumerResume, .broadcasterConsume, .broadcasterConsumeData:
            .maker(.subscribe)
        case .stateRooms, .stateSnapshot, .stateRoomEvents, .stateMinutes, .stateExplanation,
            .stateExplanationEvents, .stateRecording, .stateTransports, .stateTransport, .stateProducers,
            .stateProducer, .stateConsumers, .stateConsumer, .stateServer, .stateShards,
            .stateEvents, .stateAllPeers, .stateHistory, .stateRecord, .stateAudit:
            .operation
        case .stateRoom, .statePeers, .statePeer, .statePause, .stateResume, .stateMute, .stateLock, .stateUnlock,
            .stateMessages, .stateInvites, .stateBans, .stateBan, .statePeerBan:
            .moderation
        }
    }

    /// What a request may leave behind that lives on without its connection; whoever makes that has to hold a lease for it.
    var holding: ClientHolding? {
        switch self {
        case .roomName: .roomName
        case .socketIO, .whip, .whep, .peerRequests, .broadcasters: .session
        case .health, .readiness, .metrics, .asset, .roomList, .room, .roomExistence, .passwordCheck, .whipSession,
            .whepSession, .peer, .peerResponses, .peerEvents, .broadcaster, .broadcasterJoin, .broadcasterInfos,
            .broadcasterProducers, .broadcasterConsumers, .broadcasterConsumerResume, .broadcasterTransports,
            .broadcasterConnect, .broadcasterPlainConnect, .broadcasterTransportProducers, .broadcasterConsume,
            .broadcasterConsumeData, .broadcasterProduceData, .stateRooms, .stateRoom, .stateSnapshot,
            .stateRoomEvents, .stateMinutes, .statePeers, .statePeer, .stateExplanation, .stateExplanationEvents,
            .stateRecording,
            .stateTransports, .stateTransport, .stateProducers, .stateProducer, .statePause, .stateResume,
            .stateConsumers, .stateConsumer, .stateServer, .stateShards, .stateEvents, .stateAllPeers, .stateMute,
            .stateLock, .stateUnlock, .stateMessages, .stateInvites, .stateBans, .stateBan, .statePeerBan,
            .stateHistory, .stateRecord, .stateAudit:
            nil
        }
    }

    /// Whether it belongs to the state API.
    var isState: Bool { pattern?.hasPrefix("/api/v1/") ?? false }

    /// Whether machines ask for it again and again, and must be neither refused nor counted.
    var isProbe: Bool { self == .health || self == .readiness }

    /// Whether it answers OPTIONS and methods that it has not by itself: to pages of other origins by what CORS has, and to clients
    /// of Engine.IO in their words.
    var answersEveryMethod: Bool {
        switch self {
        case .socketIO, .whip, .whep, .whipSession, .whepSession, .peer, .peerRequests, .peerResponses, .peerEvents:
            true
        default: false
        }
    }

    func takes(_ method: HTTPRequest.Method) -> Bool {
        methods.contains(method == .head && !answersEveryMethod ? .get : method)
    }

    /// The value of `Allow` (RFC 9110 §10.2.1).
    var allowed: String {
        (methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] } + ["OPTIONS"]).joined(separator: ", ")
    }

    // MARK: Paths

    /// - Parameter hasFile: whether a path is a file's.
    init?(_ path: [String], hasFile: ([String]) -> Bool) {
        let known = Self.byFirstSegment[path.first ?? ""]?.first { Self.matches($0.segments, path) }
        if let known {
            self = known.endpoint
        } else if EngineRequest.isPath(path) {
            self = .socketIO
        } else if path == ["console"] || hasFile(path) {
            self = .asset
        } else {
            return nil
        }
    }

    /// The room that a path of this endpoint names.
    func room(of path: [String]) -> String? {
        guard let index = pattern?.split(separator: "/").firstIndex(of: "{room}"), index < path.count else {
            return nil
        }
        return path[index]
    }

    private static let byFirstSegment: [String: [(segments: [Substring], endpoint: Endpoint)]] = {
        let patterns = allCases.compactMap { endpoint in
            endpoint.pattern.map { ($0.split(separator: "/"), endpoint) }
        }
        return Dictionary(grouping: patterns) { String($0.0[0]) }.mapValues { $0.map { ($0.0, $0.1) } }
    }()

    private static func matches(_ pattern: [Substring], _ path: [String]) -> Bool {
        pattern.count == path.count && zip(pattern, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
