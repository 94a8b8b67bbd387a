import FoundationEssentials
import HTTPTypes
import NIOPosix
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// A room with one object of every kind that has an owner, and what asks for them.
struct AccessWorld {
    /// The client that asks.
    struct Client: Sendable, CustomStringConvertible {
        var description: String
        /// What it shows, if anything.
        var token: String?
        /// What that grants; `nil` if it is no valid token.
        var grants: AccessGrants?
        /// It shows the token by which the objects were made.
        var isOwner = false
        var isAdminToken = false
        var isMetricsToken = false
        var address = "192.0.2.9"
        var host = "media.example"
    }

    /// What is asked for.
    enum Subject: CaseIterable {
        /// The client's own: it has the secret.
        case own
        /// Somebody else's: it has not.
        case others
        /// What is not there yet.
        case fresh
    }

    static let key = "0123456789abcdef0123456789abcdef"
    static let adminToken = "an admin token of the server"
    static let metricsToken = "a token for the metrics only"
    static let ownersAddress = "192.0.2.1"

    let router: HTTPRouter
    let rooms: RoomRegistry
    private(set) var session = ""
    private(set) var maker = ""
    private(set) var publisher = ""
    private(set) var viewer = ""
    private(set) var transport = ""
    private(set) var producer = ""

    init(hasKey: Bool, owner: Client) async throws {
        // There are no media threads that could answer.
        rooms = try RoomRegistry(
            media: .recording { _, _ in true }, configuration: RoomConfiguration(statisticsTimeout: .zero))
        var limits = GatewayLimits.patient
        limits.requestsPerSecond = 1_000_000
        limits.messagesPerSecond = 1_000_000
        let counters = GatewayCounters()
        let access = AccessControl(limits: limits, counters: counters, logger: TestServer.silentLogger)
        var configuration = GatewayConfiguration(limits: limits)
        if hasKey {
            configuration.access.keys = [try AccessKey(Self.key)]
            configuration.adminToken = Secret(Self.adminToken)
            configuration.metricsToken = Secret(Self.metricsToken)
        }
        access.apply(configuration)
        router = .testing(
            rooms: rooms, access: access, counters: counters, group: MultiThreadedEventLoopGroup.singleton)

        func made(_ path: String, _ body: String, type: String = "application/json") async throws -> OutgoingResponse {
            let response = await ask(.post, path, Array(body.utf8), [.contentType: type], as: owner)
            #expect(
                [200, 201].contains(response.head.status.code),
                "\(path): \(String(decoding: response.body, as: UTF8.self))")
            return response
        }
        func text(_ response: OutgoingResponse, _ path: String...) throws -> String {
            var value = try JSONValue(parsing: response.body)
            for name in path { value = try #require(value[name]) }
            guard case .string(let text) = value else { throw NeverHappened() }
            return text
        }
        session = try text(
            try await made("/rooms/town/peers/ann/requests", #"{"method":"join","data":{"displayName":"Ann"}}"#),
            "session", "token")
        maker = try text(
            try await made("/rooms/town/broadcasters", #"{"id":"film","displayName":"Film","device":{}}"#),
            "session", "token")
        transport = try text(
            try await made("/rooms/town/broadcasters/film/transports", #"{"type":"plain","comedia":false}"#), "id")
        producer = try text(
            try await made("/rooms/town/broadcasters/film/transports/\(transport)/producers", Self.produce), "id")
        let published = try await made(
            "/whip/town?peerId=cam", try Self.publishing.get(), type: "application/sdp")
        publisher = String(published.head.headerFields[.location]?.split(separator: "/").last ?? "")
        let watched = try await made(
            "/whep/town?peer=cam", try Self.watching.get(), type: "application/sdp")
        viewer = String(watched.head.headerFields[.location]?.split(separator: "/").last ?? "")
    }

    /// Whatever happens to a room is an event.
    var events: UInt64 { rooms.events.count }

    func close() async { await rooms.close(.shutdown) }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], _ fields: HTTPFields = [:],
        as client: Client
    ) async -> OutgoingResponse {
        var fields = fields
        if let token = client.token { fields[.authorization] = "Bearer \(token)" }
        let head = HTTPRequest(
            method: method, scheme: "http", authority: client.host, path: path, headerFields: fields)
        return await router.respond(
            to: IncomingRequest(head: head, body: body, remoteAddress: ClientAddress(parsing: client.address)))
    }

    private static let publishing = offer(.aiortcPublish)
    private static let watching = offer(.aiortcWatch)
    private static func offer(_ file: OfferFile) -> Result<String, any Error> {
        Result { String(decoding: try file.bytes, as: UTF8.self) }
    }
    private static let produce = """
        {"kind": "audio", "rtpParameters": {"encodings": [{"ssrc": 1111}], "codecs": [
        {"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2}]}}
        """

    /// Asks an endpoint as a client would that knows how to.
    func ask(
        _ endpoint: Endpoint, _ method: HTTPRequest.Method, _ subject: Subject, as client: Client
    ) async throws -> OutgoingResponse {
        var path = endpoint.pattern ?? "/"
        let isOwn = subject == .own
        let secret =
            switch endpoint {
            case .whipSession: isOwn ? publisher : "0123456789abcdef0123456789abcdef"
            default: isOwn ? viewer : "0123456789abcdef0123456789abcdef"
            }
        let isBroadcaster = "\(endpoint)".hasPrefix("broadcaster")
        for (name, value) in [
            ("room", "town"), ("session", secret), ("transport", transport), ("producer", producer),
            ("consumer", "nobodys"), ("peer", isBroadcaster ? "film" : subject == .fresh ? "bob" : "ann"),
        ] {
            path.replace("{\(name)}", with: value)
        }
        var fields: HTTPFields = [.contentType: "application/json"]
        var body = ""
        switch endpoint {
        case .socketIO: path += "/?EIO=4&transport=polling"
        case .whip:
            path += "?peerId=\(subject == .fresh ? "bob" : "cam")"
            fields[.contentType] = "application/sdp"
            body = try Self.publishing.get()
        case .whep:
            fields[.contentType] = "application/sdp"
            body = try Self.watching.get()
        case .whipSession, .whepSession:
            fields = [.contentType: "application/trickle-ice-sdpfrag", .ifMatch: "*"]
            body = "a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
        case .peer, .peerRequests, .peerResponses, .peerEvents:
            if subject != .fresh {
                let wrong = String(repeating: "x", count: session.utf8.count)
                if isOwn || endpoint != .peerRequests { fields[.signalingSession] = isOwn ? session : wrong }
            }
            switch endpoint {
            case .peerResponses: body = #"{"id":1,"ok":true}"#
            case .peerRequests where isOwn: body = #"{"method":"getRouterRtpCapabilities"}"#
            default: body = #"{"method":"join","data":{"displayName":"Somebody"}}"#
            }
        case .broadcasters:
            body = #"{"id":"\#(subject == .fresh ? "bob" : "ann")","displayName":"Somebody","device":{}}"#
        case .broadcasterTransports: body = #"{"type":"webrtc"}"#
        case .broadcasterConnect, .broadcasterPlainConnect:
            body = #"{"ip":"192.0.2.1","port":5000,"rtcpPort":5001}"#
        case .broadcasterProducers:
            body = Self.produce.replacing("{\"kind\"", with: "{\"transportId\": \"\(transport)\", \"kind\"")
                .replacing("1111", with: "2222")
        case .broadcasterTransportProducers: body = Self.produce.replacing("1111", with: "3333")
        case .broadcasterConsumers:
            body = #"{"transportId":"\#(transport)","producerId":"\#(producer)","rtpCapabilities":{"codecs":[]}}"#
        case .broadcasterConsume:
            path += "?producerId=\(producer)"
            body = #"{"rtpCapabilities":{"codecs":[]}}"#
        case .stateRooms: body = #"{"expiresIn":60}"#
        case .statePeer: body = #"{"permissions":{"publish":false}}"#
        case .stateTransport: body = #"{"maxIncomingBitrate":300000}"#
        case .broadcasterConsumeData: body = #"{"dataProducerId":"none"}"#
        case .broadcasterProduceData: body = #"{"sctpStreamParameters":{"streamId":0},"label":"chat"}"#
        case .roomName, .roomExistence, .passwordCheck: body = #"{"roomId":"town","password":""}"#
        case .health, .readiness, .metrics, .asset, .roomList, .room, .broadcaster, .broadcasterJoin,
            .broadcasterInfos, .broadcasterConsumerResume,
            .stateRoom, .stateSnapshot, .stateRoomEvents, .stateMinutes, .statePeers, .stateExplanation,
            .stateExplanationEvents, .stateRecording, .stateTransports, .stateProducers,
            .stateProducer, .statePause, .stateResume, .stateConsumers,
            .stateConsumer, .stateServer, .stateShards, .stateEvents, .stateAllPeers, .stateMute, .stateLock,
            .stateUnlock, .stateBans, .stateBan, .stateHistory, .stateRecord, .stateAudit:
            break
        case .stateMessages: body = #"{"text":"Lunch is served."}"#
        case .stateInvites: body = #"{"name":"Guest","expiresIn":600}"#
        case .statePeerBan: body = #"{"seconds":60}"#
        }
        if isBroadcaster, endpoint != .broadcasters, isOwn { fields[.signalingSession] = maker }
        let isEmpty = [.get, .head, .options, .delete].contains(method)
        let response = await ask(method, path, isEmpty ? [] : Array(body.utf8), fields, as: client)
        response.events?.finish()
        response.events?.connectionClosed(.finished)
        return response
    }
}
