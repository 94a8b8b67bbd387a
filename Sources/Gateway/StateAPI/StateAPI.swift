import FoundationEssentials
import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// The server's state as JSON, for people and dashboards, and what operators may change.
///
/// `Page/api/openapi.json` describes everything below `/api/v1`; tests compare it with what is answered here.
struct StateAPI: Sendable {
    let registry: RoomRegistry
    let admin: AdminAccess
    let feed: RoomEventFeed
    let media: @Sendable () -> [ShardCounters]
    let facts: ServerFacts

    init(
        registry: RoomRegistry, admin: AdminAccess, feed: RoomEventFeed? = nil,
        media: @escaping @Sendable () -> [ShardCounters] = { [] }, facts: ServerFacts = ServerFacts()
    ) {
        self.registry = registry
        self.admin = admin
        self.feed = feed ?? RoomEventFeed(log: registry.events, limits: GatewayLimits())
        self.media = media
        self.facts = facts
    }

    /// `GET /rooms`.
    func rooms() -> OutgoingResponse {
        OutgoingResponse(json: .object(["rooms": .array(registry.list().map(\.json))]))
    }

    /// `GET /rooms/{id}`.
    func room(_ name: String) async -> OutgoingResponse {
        guard let room = registry.room(RoomID(name)) else { return Self.noRoom }
        var json = await room.snapshot().json
        // What broadcasters of mediasoup-demo ask this path for: those of 2024, and those of 2026.
        if case .object(var fields) = json, case .object(let capabilities) = room.routerCapabilities.json {
            fields.merge(capabilities) { own, _ in own }
            fields["routerRtpCapabilities"] = .object(capabilities)
            json = .object(fields)
        }
        return OutgoingResponse(json: json)
    }

    /// `GET /rooms/{id}` for those who may enter the room and are no operators: what a broadcaster has to know of it.
    func capabilities(ofAny name: String) -> OutgoingResponse {
        guard case .object(var fields) = registry.routerCapabilities(of: RoomID(name)).json else { return Self.noRoom }
        fields["routerRtpCapabilities"] = .object(fields)
        return OutgoingResponse(json: .object(fields))
    }

    /// The same of a room that is there.
    func capabilities(of name: String) -> OutgoingResponse {
        registry.room(RoomID(name)) == nil ? Self.noRoom : capabilities(ofAny: name)
    }

    /// - Returns: `nil` for a path that is not below `/api/v1`.
    func respond(to request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse? {
        guard target.path.starts(with: ["api", "v1"]) else { return nil }
        guard let route = StateRoute(target.path.dropFirst(2)) else {
            return .failure(.notFound, code: "not-found", "there is nothing at this path: see /api/openapi.json")
        }
        let method = request.head.method == .head ? .get : request.head.method
        guard route.methods.contains(method) else {
            let names = route.methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }
            return .methodNotAllowed(names.joined(separator: ", "), "this path has no such method")
        }
        if let refusal = admin.refusal(of: request, isChange: method != .get, moderating: route.moderated) {
            return refusal
        }
        do throws(StateQuery.Invalid) {
            let query = try StateQuery(target, allowed: method == .get ? route.parameters : [])
            return method == .get
                ? try await read(route, query, request) : try await change(route, method, request)
        } catch {
            return .failure(.badRequest, code: "invalid-parameter", error.message)
        }
    }

    private func read(
        _ route: StateRoute, _ query: StateQuery, _ request: IncomingRequest
    ) async throws(StateQuery.Invalid) -> OutgoingResponse {
        switch route {
        case .rooms: return try rooms(query)
        case .server: return server()
        case .shards: return shards()
        case .events:
            _ = try query.text("lastEventId")
            let memory = admin.access.accountant.memory(of: request.origin)
            return feed.open(
                room: try query.text("room").map { RoomID($0) }, after: request.lastEventID,
                loan: memory.loan(own: MemoryLoan.outgoingBytes))
        case .room(let id):
            guard let summary = registry.summary(of: id) else { return Self.noRoom }
            return OutgoingResponse(json: summary.json)
        case .snapshot(let id):
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: await room.snapshot().json)
        case .recentEvents(let id):
            let limit = try query.number("limit", 1...1000, default: 100)
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(
                json: .object(["events": .array(await room.recentEvents.suffix(limit).map(\.json))]))
        case .minutes(let id):
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: .object(["minutes": .array(await room.lastHour.map(\.json))]))
        case .peers(let id):
            let list = try StateList(peers: query)
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: list.page(of: await room.snapshot(withStatistics: false)))
        case .transports(let id):
            let list = try StateList(transports: query)
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: list.page(of: await room.snapshot()))
        case .producers(let id):
            let list = try StateList(producers: query)
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: list.page(of: await room.snapshot()))
        case .consumers(let id):
            let list = try StateList(consumers: query)
            guard let room = registry.room(id) else { return Self.noRoom }
            return OutgoingResponse(json: list.page(of: await room.snapshot()))
        case .peer(let id, let peer):
            guard let room = registry.room(id) else { return Self.noRoom }
            return Self.one(await room.snapshot(withStatistics: false).peerObject(peer), .peerClosed)
        case .explanation(let id, let peer):
            let ago = try query.number("ago", 0...600_000, default: 0)
            let withHistory = try query.flag("history") ?? false
            let format = try query.choice("format", of: ExplanationFormat.allCases)
            guard let room = registry.room(id) else { return Self.noRoom }
            let explanation = await room.explanation(of: peer, ago: ago, withHistory: withHistory)
            guard let explanation else { return Self.one(nil, .peerClosed) }
            switch format ?? ExplanationFormat(accepted: request.head.headerFields[.accept]) {
            case .json: return OutgoingResponse(json: explanation.json)
            case .text:
                return OutgoingResponse(
                    contentType: "text/plain; charset=utf-8", body: Array(explanation.text.utf8))
            }
        case .recording(let id, let peer):
            let wanted = try query.text("transport")
            guard let room = registry.room(id) else { return Self.noRoom }
            guard let recordings = await room.recordings(of: peer) else { return Self.one(nil, .peerClosed) }
            let chosen =
                wanted.map { recordings[TransportID($0)] }
                ?? recordings.min { $0.key.rawValue < $1.key.rawValue }?.value
            guard let chosen else {
                return .failure(.notFound, code: "not-recorded", "nothing is recorded of this peer: POST to begin")
            }
            return OutgoingResponse(contentType: "application/octet-stream", body: chosen)
        case .explanationEvents(let id, let peer):
            guard let room = registry.room(id) else { return Self.noRoom }
            guard await room.explanation(of: peer) != nil else { return Self.one(nil, .peerClosed) }
            let memory = admin.access.accountant.memory(of: request.origin)
            return feed.open(explaining: peer, in: room, loan: memory.loan(own: MemoryLoan.outgoingBytes))
        case .transport(let id, let transport):
            guard let room = registry.room(id) else { return Self.noRoom }
            return Self.one(await room.snapshot().transportObject(transport), .transportNotFound)
        case .producer(let id, let producer):
            guard let room = registry.room(id) else { return Self.noRoom }
            return Self.one(await room.snapshot().producerObject(producer), .producerNotFound)
        case .consumer(let id, let consumer):
            guard let room = registry.room(id) else { return Self.noRoom }
            return Self.one(await room.snapshot().consumerObject(consumer), .consumerNotFound)
        case .allPeers: return try await allPeers(query)
        case .history:
            let page = try query.page()
            let text = try query.text("name")?.lowercased() ?? ""
            let found = registry.history.records.filter {
                text.isEmpty || $0.room.rawValue.lowercased().contains(text)
            }
            return OutgoingResponse(
                json: .object([
                    "rooms": .array(page.of(found).map(\.json)), "total": .integer(Int64(found.count)),
                ]))
        case .record(let number):
            guard let record = registry.history.record(number) else {
                return .failure(.notFound, code: "record-not-found", "no room that has ended is kept under this number")
            }
            return OutgoingResponse(
                json: record.json.merging(
                    .object([
                        "events": .array(record.events.map(\.json)), "minutes": .array(record.minutes.map(\.json)),
                    ])))
        case .audit:
            let page = try query.page()
            let entries = admin.access.audit.entries
            return OutgoingResponse(
                json: .object([
                    "acts": .array(page.of(entries).map(\.json)), "total": .integer(Int64(entries.count)),
                ]))
        case .bans(let id):
            return OutgoingResponse(json: .object(["bans": .array(registry.bans(of: id).map(\.json))]))
        case .producerPause, .mute, .lock, .messages, .invites, .ban, .peerBan:
            return .methodNotAllowed("POST", "this path has no such method")
        }
    }

    private func rooms(_ query: StateQuery) throws(StateQuery.Invalid) -> OutgoingResponse {
        let page = try query.page()
        let minPeers = try query.number("minPeers", 0...1_000_000_000, default: 0)
        let name = try query.text("name") ?? ""
        let found = registry.list {
            $0.counts.peers >= minPeers && (name.isEmpty || $0.id.rawValue.contains(name))
        }
        return OutgoingResponse(
            json: .object([
                "rooms": .array(page.of(found).map(\.json)), "total": .integer(Int64(found.count)),
            ]))
    }

    /// People of all rooms, in the order of the rooms' names.
    private func allPeers(_ query: StateQuery) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let page = try query.page()
        let text = try query.text("name")?.lowercased() ?? ""
        var found: [JSONValue] = []
        var total = 0
        for summary in registry.list(where: { $0.counts.peers > 0 }) {
            guard let room = registry.room(summary.id) else { continue }
            for peer in await room.snapshot(withStatistics: false).peers {
                let names = [peer.peer.id.rawValue, peer.peer.displayName].map { $0.lowercased() }
                guard text.isEmpty || names.contains(where: { $0.contains(text) }) else { continue }
                total += 1
                guard total > page.offset, found.count < page.limit else { continue }
                found.append(peer.object.merging(.object(["room": .string(summary.id.rawValue)])))
            }
        }
        return OutgoingResponse(json: .object(["peers": .array(found), "total": .integer(Int64(total))]))
    }

    /// Protocols and ports by which media comes.
    var mediaWays: String { ShardEndpoint.ways(to: registry.endpoints) }

    private func server() -> OutgoingResponse {
        let (rooms, counts) = registry.totals()
        let limits = registry.configuration
        var addresses: [JSONValue] = []
        for (shard, endpoint) in registry.endpoints.enumerated() {
            addresses += endpoint.addresses.map { address in
                .object([
                    "address": .string(address.address), "port": .integer(Int64(address.port)),
                    "protocol": .string(address.transport.rawValue), "shard": .integer(Int64(shard)),
                ])
            }
        }
        let media = registry.routerCapabilities.codecs.filter { !$0.mimeType.hasSuffix("/rtx") }
        let codecs = media.map(\.mimeType).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let open = [
            ("rooms", rooms), ("peers", counts.peers), ("transports", counts.transports),
            ("producers", counts.producers), ("consumers", counts.consumers),
        ]
        let most = [
            ("rooms", limits.maximumRooms), ("peersPerRoom", limits.maximumPeers),
            ("transportsPerPeer", limits.maximumTransportsPerPeer),
            ("producersPerPeer", limits.maximumProducersPerPeer),
            ("consumersPerPeer", limits.maximumConsumersPerPeer),
            ("dataProducersPerPeer", limits.maximumDataProducersPerPeer),
            ("dataConsumersPerPeer", limits.maximumDataConsumersPerPeer),
        ]
        return OutgoingResponse(
            json: .object([
                "version": .string(facts.version), "startedAt": .integer(facts.startedAt), "time": .integer(Self.now),
                "draining": .bool(registry.isDraining), "mediaAddresses": .array(addresses),
                "codecs": .array(codecs.map { .string($0) }), "open": Self.numbers(open), "limits": Self.numbers(most),
            ]))
    }

    private static func numbers(_ list: [(name: String, value: Int)]) -> JSONValue {
        .object(Dictionary(list.map { ($0.name, .integer(Int64($0.value))) }, uniquingKeysWith: { $1 }))
    }

    /// Milliseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    private func shards() -> OutgoingResponse {
        let shards = media().map { shard in
            JSONValue.object([
                "shard": .integer(Int64(shard.shard)), "cpuSeconds": .normalized(shard.cpuSeconds),
                "counters": .object(
                    Dictionary(shard.values.map { ($0.name, .count($0.value)) }, uniquingKeysWith: { $1 })),
                "drops": .object(
                    Dictionary(shard.drops.map { ($0.reason, .count($0.count)) }, uniquingKeysWith: { $1 })),
            ])
        }
        return OutgoingResponse(json: .object(["time": .integer(Self.now), "shards": .array(shards)]))
    }

    static let noRoom = OutgoingResponse.failure(
        .notFound, code: "room-not-found", "no room of this name has a peer")

    static func one(_ json: JSONValue?, _ code: RoomError.Code) -> OutgoingResponse {
        if let json { return OutgoingResponse(json: json) }
        let name = code == .peerClosed ? "peer-not-found" : code.name
        return .failure(.notFound, code: name, "the room has none with this id")
    }
}
