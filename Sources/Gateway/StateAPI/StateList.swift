import RoundhouseMedia
import RoundhouseRooms

/// A list of a room's objects: which of them, as what, and which page.
struct StateList {
    private let name: String
    private let bounds: StatePage
    private let items: (RoomSnapshot) -> [JSONValue]
    /// Whether the list's objects have counters that may be missing.
    private let hasStatistics: Bool

    private init(
        _ name: String, _ query: StateQuery, hasStatistics: Bool = true,
        items: @escaping (RoomSnapshot) -> [JSONValue]
    ) throws(StateQuery.Invalid) {
        self.name = name
        bounds = try query.page()
        self.hasStatistics = hasStatistics
        self.items = items
    }

    init(peers query: StateQuery) throws(StateQuery.Invalid) {
        let isJoined = try query.flag("joined")
        let text = try query.text("name") ?? ""
        try self.init("peers", query, hasStatistics: false) { snapshot in
            snapshot.peers.filter {
                (isJoined ?? $0.isJoined) == $0.isJoined
                    && (text.isEmpty || $0.peer.id.rawValue.contains(text) || $0.peer.displayName.contains(text))
            }.map(\.object)
        }
    }

    init(transports query: StateQuery) throws(StateQuery.Invalid) {
        let peer = try query.text("peer")
        try self.init("transports", query) { snapshot in
            snapshot.transports(of: peer).map { $0.transport.object(of: $0.peer) }
        }
    }

    init(producers query: StateQuery) throws(StateQuery.Invalid) {
        let filter = try TrackFilter(query)
        try self.init("producers", query) { snapshot in
            snapshot.transports(of: filter.peer).flatMap { owner in
                owner.transport.producers.filter { filter.takes($0.kind, isPaused: $0.isPaused) }
                    .map { $0.json.owned(by: owner.peer, on: owner.transport.id) }
            }
        }
    }

    init(consumers query: StateQuery) throws(StateQuery.Invalid) {
        let filter = try TrackFilter(query)
        let producer = try query.text("producer")
        try self.init("consumers", query) { snapshot in
            snapshot.transports(of: filter.peer).flatMap { owner in
                owner.transport.consumers.filter {
                    filter.takes($0.kind, isPaused: $0.isPaused)
                        && (producer == nil || $0.producerID.rawValue == producer)
                }.map { $0.json.owned(by: owner.peer, on: owner.transport.id) }
            }
        }
    }

    func page(of snapshot: RoomSnapshot) -> JSONValue {
        let found = items(snapshot)
        return .fields([
            name: .array(Array(bounds.of(found))), "total": .integer(Int64(found.count)),
            "complete": hasStatistics ? .bool(snapshot.isComplete) : nil,
        ])
    }
}

/// Which tracks are asked for, whichever way they flow.
private struct TrackFilter {
    let peer: String?
    private let kind: MediaKind?
    private let isPaused: Bool?

    init(_ query: StateQuery) throws(StateQuery.Invalid) {
        peer = try query.text("peer")
        kind = try query.choice("kind", of: [MediaKind.audio, .video])
        isPaused = try query.flag("paused")
    }

    func takes(_ kind: MediaKind, isPaused: Bool) -> Bool {
        (self.kind ?? kind) == kind && (self.isPaused ?? isPaused) == isPaused
    }
}

extension RoomSnapshot {
    /// The transports of a peer, or all.
    fileprivate func transports(of peer: String?) -> [(peer: PeerID, transport: TransportSnapshot)] {
        transports.filter { peer == nil || $0.peer.rawValue == peer }
    }

    /// Every transport with its peer, in the order they came.
    var transports: [(peer: PeerID, transport: TransportSnapshot)] {
        peers.flatMap { peer in peer.transports.map { (peer.peer.id, $0) } }
    }

    func peerObject(_ id: PeerID) -> JSONValue? { peers.first { $0.peer.id == id }?.object }

    func transportObject(_ id: TransportID) -> JSONValue? {
        transports.first { $0.transport.id == id }.map { $0.transport.object(of: $0.peer) }
    }

    func producerObject(_ id: ProducerID) -> JSONValue? {
        for (peer, transport) in transports {
            guard let producer = transport.producers.first(where: { $0.id == id }) else { continue }
            return producer.json.owned(by: peer, on: transport.id)
        }
        return nil
    }

    func consumerObject(_ id: ConsumerID) -> JSONValue? {
        for (peer, transport) in transports {
            guard let consumer = transport.consumers.first(where: { $0.id == id }) else { continue }
            return consumer.json.owned(by: peer, on: transport.id)
        }
        return nil
    }
}

extension PeerSnapshot {
    /// The peer without its transports, which have lists of their own.
    var object: JSONValue {
        json.replacing([
            "transports": .integer(Int64(transports.count)),
            "producers": .integer(Int64(transports.map(\.producers.count).reduce(0, +))),
            "consumers": .integer(Int64(transports.map(\.consumers.count).reduce(0, +))),
        ])
    }
}

extension TransportSnapshot {
    fileprivate func object(of peer: PeerID) -> JSONValue {
        json.replacing([
            "peerId": .string(peer.rawValue), "producers": .integer(Int64(producers.count)),
            "consumers": .integer(Int64(consumers.count)),
        ])
    }
}

extension JSONValue {
    fileprivate func owned(by peer: PeerID, on transport: TransportID) -> JSONValue {
        replacing(["peerId": .string(peer.rawValue), "transportId": .string(transport.rawValue)])
    }

    fileprivate func replacing(_ others: [String: JSONValue]) -> JSONValue {
        guard case .object(let fields) = self else { return self }
        return .object(fields.merging(others) { $1 })
    }
}
