import HTTPTypes
import Logging
import RoundhouseMedia
import RoundhouseRooms

/// mediasoup-demo's HTTP API for broadcasters, of 2024 and of 2026, under `/rooms/{room}/broadcasters`.
///
/// Their transports are plain ones (RTP without ICE and DTLS) or WebRTC ones.
struct BroadcasterEndpoints: Sendable {
    let rooms: RoomRegistry
    let access: AccessControl
    let counters: GatewayCounters
    let lane: ReadingLane
    let logger: Logger
    private let table: BroadcasterTable
    /// How long a broadcaster stays without a request, a packet or a checked transport.
    private let idleTimeout: Duration

    init(
        rooms: RoomRegistry, access: AccessControl, counters: GatewayCounters, lane: ReadingLane = ReadingLane(),
        logger: Logger, idleTimeout: Duration? = nil
    ) {
        self.rooms = rooms
        self.access = access
        self.counters = counters
        self.lane = lane
        self.logger = logger
        self.idleTimeout = idleTimeout ?? access.limits.broadcasterIdleTimeout
        table = BroadcasterTable(limit: access.limits.connections)
    }

    /// - Returns: `nil` if the path is not one of theirs.
    func respond(to request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse? {
        guard target.path.count >= 3, target.path[0] == "rooms", target.path[2] == "broadcasters" else { return nil }
        do throws(RoomError) {
            for (kind, name) in zip([ClientName.room, .peer], [target.path[1]] + target.path.dropFirst(3))
            where !kind.admits(name) {
                throw RoomError(.invalidRequest, "a name of a \(kind) \(kind.rule)")
            }
            return try await answer(request, target) ?? Self.text(.notFound, "Error: no such resource")
        } catch {
            return Self.refusal(error)
        }
    }

    private func answer(
        _ request: IncomingRequest, _ target: RequestTarget
    ) async throws(RoomError) -> OutgoingResponse? {
        let room = target.path[1]
        let rest = Array(target.path.dropFirst(3))
        guard let name = rest.first else {
            guard request.head.method == .post else { return nil }
            return try await create(in: room, target, request, try await body(request))
        }
        let grants = try access.grants(of: AccessControl.token(of: request.head, target), from: request.origin)
        guard grants.admits(to: RoomID(room)) else { throw RoomError(.forbidden, "the token is for another room") }
        guard let broadcaster = table[.init(room: room, id: name)], let member = broadcaster.membership.member else {
            throw RoomError(.peerClosed, "broadcaster with id \"\(name)\" does not exist")
        }
        try authorize(request, target, grants, broadcaster)
        try broadcaster.intake.admitOrRefuse(bytes: request.body.count)
        broadcaster.requested()
        let method = request.head.method == .head ? .get : request.head.method
        switch (method, rest.count, rest.dropFirst().first) {
        case (.delete, 1, _):
            await broadcaster.membership.leave()
            return Self.text(.ok, "broadcaster deleted")
        case (.get, 2, "peerProducersInfos"): return await Self.infos(member)
        case (.post, 2, "join"):
            _ = try await member.room.request(.join(broadcaster.join), from: member.peer)
            return OutgoingResponse(json: .object([:]))
        case (.post, 2, "transports"): return try await open(for: broadcaster, member, try await body(request), request)
        case (.post, 2, "producers"):
            try grants.require(.publish)
            return try await produce(try await body(request), on: nil, broadcaster, member, answer: "producerId")
        case (.post, 2, "consumers"):
            try grants.require(.subscribe)
            return try await consume2026(broadcaster, member, try await body(request))
        case (.post, 4, "consumers") where rest[3] == "resume":
            try grants.require(.subscribe)
            _ = try await member.room.request(.resumeConsumer(ConsumerID(rest[2])), from: member.peer)
            return OutgoingResponse(json: .object([:]))
        case (.post, 4..., "transports"):
            return try await atTransport(
                TransportID(rest[2]), Array(rest[3...]), request, target, grants, broadcaster, member)
        default: return nil
        }
    }

    // MARK: Authorization

    /// A broadcaster is driven by whoever made it, and by nobody else who may enter the room. What it was made with the room
    /// knows; what the request's own token permits is asked besides.
    private func authorize(
        _ request: IncomingRequest, _ target: RequestTarget, _ grants: AccessGrants, _ broadcaster: Broadcaster
    ) throws(RoomError) {
        let session = request.head.headerFields[.signalingSession] ?? target["session"]
        let isMaker = broadcaster.owner.isMaker(
            of: broadcaster.key.id, session: session.map(Secret.init),
            accessToken: AccessControl.token(of: request.head, target), grants: access.requiresToken ? grants : nil,
            from: request.remoteAddress)
        let isForAnother = grants.peer.map { $0 != broadcaster.key.id } ?? false
        guard isMaker, !isForAnother else {
            throw access.refused(.wrongPeer, "this broadcaster is somebody else's: see Signaling-Session")
        }
    }

    // MARK: Broadcasters

    /// That of 2024 is named by `id` and joins at once; that of 2026 by `peerId`, and joins by a request of its own.
    private func create(
        in room: String, _ target: RequestTarget, _ request: IncomingRequest, _ data: JSONValue
    ) async throws(RoomError) -> OutgoingResponse {
        let (name, join, joinsAtOnce) = try Self.reading(data) { reader throws(JSONFieldError) in
            let is2026 = try reader.optional("peerId") != nil
            let name = try reader.required(is2026 ? "peerId" : "id").string()
            var join = try JoinRequest(reader)
            join.consumesOnRequest = true
            if join.device.flag == nil { join.device.flag = "broadcaster" }
            return (name, join, !is2026)
        }
        guard ClientName.peer.admits(name) else {
            throw RoomError(.invalidRequest, "id: \(ClientName.peer.rule)")
        }
        let token = AccessControl.token(of: request.head, target)
        let grants = try access.admit(token, from: request.origin, to: RoomID(room), as: PeerID(name))
        let owner = Broadcaster.Owner(accessToken: access.requiresToken ? token : nil, address: request.remoteAddress)
        let intake = SignalingIntake(limits: access.limits, counters: counters)
        let lease = try access.accountant.hold(.session, for: request.origin)
        let key = Broadcaster.Key(room: room, id: name)
        guard let broadcaster = table.make(key, join, owner: owner, intake: intake, lease: lease) else {
            throw RoomError(.wrongState, "broadcaster with id \"\(name)\" already exists, or there are too many")
        }
        do throws(RoomError) {
            let claim = access.claim(of: token, grants, from: request.remoteAddress)
            let needsPassword = rooms.existence(of: RoomID(room)).needsPassword
            let (entered, peer) = try await access.accountant.guessing(needsPassword, from: request.origin) {
                () async throws(RoomError) in
                try await rooms.connect(
                    PeerID(name), to: RoomID(room),
                    password: target["password"] ?? ShownSecret.password(request.head.headerFields) ?? "",
                    grant: grants.peerGrant(claim, from: request.remoteAddress), through: broadcaster)
            }
            await broadcaster.membership.entered(RoomMember(room: entered, peer: peer))
            var peers: [PeerDescription] = []
            if joinsAtOnce, case .joined(let answer) = try await entered.request(.join(join), from: peer) {
                peers = answer.peers
            }
            endWhenIdle(broadcaster)
            logger.info(
                "broadcaster created",
                metadata: AuditLog.client(request.origin).merging([
                    "room.id": "\(room)", "peer.id": "\(name)",
                ]) { own, _ in own })
            let session = JSONValue.object(["session": .object(["token": .string(owner.session.text)])])
            let description =
                joinsAtOnce ? Self.description(peers, await entered.publications()) : .object([:])
            return OutgoingResponse(json: description.merging(session))
        } catch {
            await broadcaster.membership.leave()
            table.remove(broadcaster.key)
            throw error
        }
    }

    private static func description(_ peers: [PeerDescription], _ publications: [Publication]) -> JSONValue {
        let entries = peers.map { peer -> JSONValue in
            let producers = publications.filter { $0.peerID == peer.id }.map { publication -> JSONValue in
                .object(["id": .string(publication.producerID.rawValue), "kind": .string(publication.kind.rawValue)])
            }
            guard case .object(var fields) = peer.json else { return peer.json }
            fields["producers"] = .array(producers)
            return .object(fields)
        }
        return .object(["peers": .array(entries)])
    }

    private static func infos(_ member: RoomMember) async -> OutgoingResponse {
        let publications = await member.room.publications().filter { $0.peerID != member.peer.peerID }
        var order: [PeerID] = []
        for publication in publications where !order.contains(publication.peerID) { order.append(publication.peerID) }
        let infos = order.map { peer -> JSONValue in
            let producers = publications.filter { $0.peerID == peer }.map { publication -> JSONValue in
                .fields([
                    "producerId": .string(publication.producerID.rawValue),
                    "kind": .string(publication.kind.rawValue), "source": publication.appData["source"],
                    "consumableCodecs": publication.rtpParameters.json["codecs"],
                ])
            }
            return .object(["peerId": .string(peer.rawValue), "producers": .array(producers)])
        }
        return OutgoingResponse(json: .object(["peerProducersInfos": .array(infos)]))
    }

    /// Ends a broadcaster without traffic, which would hold its ports, and its room, forever.
    private func endWhenIdle(_ broadcaster: Broadcaster) {
        let looks = 4
        Task { [weak broadcaster, idleTimeout, logger] in
            while true {
                try? await Task.sleep(for: idleTimeout / looks)
                guard let broadcaster, !broadcaster.membership.isOver,
                    let member = broadcaster.membership.member
                else { return }
                guard let activity = await member.room.activity(of: member.peer),
                    broadcaster.idleLooks(activity) >= looks
                else { continue }
                logger.info(
                    "broadcaster ended: neither a packet nor a request",
                    metadata: ["room.id": "\(broadcaster.key.room)", "peer.id": "\(broadcaster.key.id)"])
                await broadcaster.membership.leave()
                return
            }
        }
    }

    // MARK: Transports

    private func open(
        for broadcaster: Broadcaster, _ member: RoomMember, _ data: JSONValue, _ request: IncomingRequest
    ) async throws(RoomError) -> OutgoingResponse {
        // The demo of 2026 makes plain ones only, and does not say so.
        let type = try Self.reading(data) { reader throws(JSONFieldError) in
            try reader.optional("type")?.string() ?? "plain"
        }
        switch type {
        case "webrtc":
            var create = try Self.reading(data) { reader throws(JSONFieldError) in
                try CreateWebRtcTransportRequest(reader)
            }
            (create.producing, create.consuming) = (true, true)
            let response = try await member.room.request(.createWebRtcTransport(create), from: member.peer)
            return OutgoingResponse(json: response.json)
        case "plain":
            var create = try Self.reading(data, CreatePlainTransportRequest.init)
            create.requesterAddress = request.ownAddress?.description
            let response = try await member.room.request(.createPlainTransport(create), from: member.peer)
            return OutgoingResponse(json: response.json)
        default: throw RoomError(.invalidRequest, "type: not one of plain, webrtc")
        }
    }

    /// `connect` is for both kinds of transport: what the body has says which is meant.
    private func connect(_ id: TransportID, _ data: JSONValue, _ member: RoomMember) async throws(RoomError) {
        if data["dtlsParameters"] != nil {
            let connect = try Self.reading(data) { reader throws(JSONFieldError) in
                ConnectWebRtcTransportRequest(
                    transportID: id,
                    dtlsParameters: try RemoteDTLSParameters(try reader.required("dtlsParameters")))
            }
            _ = try await member.room.request(.connectWebRtcTransport(connect), from: member.peer)
        } else {
            let connect = try Self.reading(data) { reader throws(JSONFieldError) in
                try ConnectPlainTransportRequest(transportID: id, reader)
            }
            _ = try await member.room.request(.connectPlainTransport(connect), from: member.peer)
        }
    }

    private func atTransport(
        _ id: TransportID, _ rest: [String], _ request: IncomingRequest, _ target: RequestTarget,
        _ grants: AccessGrants, _ broadcaster: Broadcaster, _ member: RoomMember
    ) async throws(RoomError) -> OutgoingResponse? {
        switch rest {
        case ["connect"], ["plain-connect"]:
            try await connect(id, try await body(request), member)
            return OutgoingResponse(status: .ok)
        case ["producers"]:
            try grants.require(.publish)
            return try await produce(try await body(request), on: id, broadcaster, member, answer: "id")
        case ["consume"]:
            try grants.require(.subscribe)
            guard let producer = target["producerId"] else {
                throw RoomError(.invalidRequest, "the query has no producerId")
            }
            let capabilities = try Self.reading(try await body(request)) { reader throws(JSONFieldError) in
                try reader.optional("rtpCapabilities").map { (field) throws(JSONFieldError) in
                    try RTPCapabilities(field)
                }
            }
            guard let capabilities = capabilities ?? broadcaster.capabilities else {
                throw RoomError(.invalidRequest, "broadcaster does not have rtpCapabilities")
            }
            let consumer = try await consume(ProducerID(producer), on: id, capabilities, member)
            return OutgoingResponse(
                json: .object([
                    "id": .string(consumer.id.rawValue), "producerId": .string(producer),
                    "kind": .string(consumer.kind.rawValue), "rtpParameters": consumer.rtpParameters.json,
                    "type": .string(consumer.type.rawValue),
                ]))
        case ["consume", "data"]:
            try grants.require(.subscribe)
            let consumer = try await consumeData(try await body(request), on: id, member)
            return OutgoingResponse(
                json: .object([
                    "id": .string(consumer.id.rawValue),
                    "streamId": .integer(Int64(consumer.streamParameters.streamID)),
                ]))
        case ["produce", "data"]:
            try grants.require(.data)
            return try await produceData(try await body(request), on: id, broadcaster, member)
        default: return nil
        }
    }

    // MARK: Producers and consumers

    private func produce(
        _ data: JSONValue, on transport: TransportID?, _ broadcaster: Broadcaster, _ member: RoomMember,
        answer: String
    ) async throws(RoomError) -> OutgoingResponse {
        guard case .object(var fields) = data else { throw RoomError(.invalidRequest, "the body is not an object") }
        try broadcaster.intake.refuseChange()
        if let transport { fields["transportId"] = .string(transport.rawValue) }
        let request = try Self.reading(.object(fields)) { reader throws(JSONFieldError) in try ProduceRequest(reader) }
        guard case .producer(let id) = try await member.room.request(.produce(request), from: member.peer) else {
            throw RoomError(.internalError, "the room gave no producer")
        }
        return OutgoingResponse(json: .fields([answer: .string(id.rawValue)]))
    }

    private func consume2026(
        _ broadcaster: Broadcaster, _ member: RoomMember, _ data: JSONValue
    ) async throws(RoomError) -> OutgoingResponse {
        let (transport, producer, capabilities, isPaused) = try Self.reading(data) { reader throws(JSONFieldError) in
            (
                TransportID(try reader.required("transportId").string()),
                ProducerID(try reader.required("producerId").string()),
                try RTPCapabilities(try reader.required("rtpCapabilities")),
                try reader.optional("paused")?.bool() ?? false
            )
        }
        let consumer = try await consume(producer, on: transport, capabilities, member)
        if isPaused { _ = try await member.room.request(.pauseConsumer(consumer.id), from: member.peer) }
        return OutgoingResponse(
            json: .object([
                "consumerId": .string(consumer.id.rawValue), "kind": .string(consumer.kind.rawValue),
                "rtpParameters": consumer.rtpParameters.json, "type": .string(consumer.type.rawValue),
            ]))
    }

    private func consume(
        _ producer: ProducerID, on transport: TransportID, _ capabilities: RTPCapabilities, _ member: RoomMember
    ) async throws(RoomError) -> NewConsumerRequest {
        let request = ConsumeRequest(transportID: transport, producerID: producer, rtpCapabilities: capabilities)
        guard case .consumer(let consumer) = try await member.room.request(.consume(request), from: member.peer) else {
            throw RoomError(.internalError, "the room gave no consumer")
        }
        return consumer
    }

    // MARK: Data producers and consumers

    private func produceData(
        _ data: JSONValue, on transport: TransportID, _ broadcaster: Broadcaster, _ member: RoomMember
    ) async throws(RoomError) -> OutgoingResponse {
        guard case .object(var fields) = data else { throw RoomError(.invalidRequest, "the body is not an object") }
        try broadcaster.intake.refuseChange()
        fields["transportId"] = .string(transport.rawValue)
        let request = try Self.reading(.object(fields)) { reader throws(JSONFieldError) in
            try ProduceDataRequest(reader)
        }
        guard case .dataProducer(let id) = try await member.room.request(.produceData(request), from: member.peer)
        else {
            throw RoomError(.internalError, "the room gave no data producer")
        }
        return OutgoingResponse(json: .object(["id": .string(id.rawValue)]))
    }

    private func consumeData(
        _ data: JSONValue, on transport: TransportID, _ member: RoomMember
    ) async throws(RoomError) -> NewDataConsumerRequest {
        guard case .object(var fields) = data else { throw RoomError(.invalidRequest, "the body is not an object") }
        fields["transportId"] = .string(transport.rawValue)
        let request = try Self.reading(.object(fields)) { reader throws(JSONFieldError) in
            try ConsumeDataRequest(reader)
        }
        guard case .dataConsumer(let consumer) = try await member.room.request(.consumeData(request), from: member.peer)
        else {
            throw RoomError(.internalError, "the room gave no data consumer")
        }
        return consumer
    }

    // MARK: Bodies

    private func body(_ request: IncomingRequest) async throws(RoomError) -> JSONValue {
        guard !request.body.isEmpty else { return .object([:]) }
        let read = await lane.read(bytes: request.body.count) { try? JSONValue(parsing: request.body) }
        guard let json = read, case .object = json else {
            throw RoomError(.invalidRequest, "the body has to be a JSON object")
        }
        return json
    }

    private static func reading<Value>(
        _ data: JSONValue, _ read: (JSONReader) throws(JSONFieldError) -> Value
    ) throws(RoomError) -> Value {
        do throws(JSONFieldError) {
            return try read(JSONReader(data))
        } catch {
            throw RoomError(.invalidRequest, error.description)
        }
    }

    /// The demo's words: what is wrong with the request is a `TypeError`, and everything else an `Error`.
    private static func refusal(_ error: RoomError) -> OutgoingResponse {
        switch error.code {
        case .invalidRequest, .invalidParameters: text(.badRequest, "TypeError: \(error.message)")
        case .unauthorized, .forbidden, .shuttingDown, .rateLimited, .limitReached: .refused(error)
        case .notImplemented: text(.notImplemented, "Error: \(error.message)")
        default: text(.internalServerError, "Error: \(error.message)")
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> OutgoingResponse {
        OutgoingResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }
}

extension JSONValue {
    /// A field of an object.
    fileprivate subscript(name: String) -> JSONValue? {
        if case .object(let fields) = self { fields[name] } else { nil }
    }
}
