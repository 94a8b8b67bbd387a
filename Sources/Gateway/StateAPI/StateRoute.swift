import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// What a path below `/api/v1` names.
enum StateRoute: Equatable {
    case rooms
    case room(RoomID)
    case snapshot(RoomID)
    case recentEvents(RoomID)
    case minutes(RoomID)
    case peers(RoomID)
    case peer(RoomID, PeerID)
    case explanation(RoomID, PeerID)
    case explanationEvents(RoomID, PeerID)
    case recording(RoomID, PeerID)
    case transports(RoomID)
    case transport(RoomID, TransportID)
    case producers(RoomID)
    case producer(RoomID, ProducerID)
    case producerPause(RoomID, ProducerID, isPaused: Bool)
    case consumers(RoomID)
    case consumer(RoomID, ConsumerID)
    case server
    case shards
    case events
    case allPeers
    case history
    case record(UInt64)
    case audit
    case mute(RoomID)
    case lock(RoomID, isLocked: Bool)
    case messages(RoomID)
    case invites(RoomID)
    case bans(RoomID)
    case ban(RoomID, String)
    case peerBan(RoomID, PeerID)

    /// - Parameter path: what follows `/api/v1`.
    init?(_ path: ArraySlice<String>) {
        let parts = Array(path)
        switch (parts.count, parts.first) {
        case (1, "rooms"): self = .rooms
        case (1, "server"): self = .server
        case (1, "shards"): self = .shards
        case (1, "events"): self = .events
        case (1, "peers"): self = .allPeers
        case (1, "history"): self = .history
        case (1, "audit"): self = .audit
        // What is no number names nothing that is there.
        case (2, "history"): self = .record(UInt64(parts[1]) ?? 0)
        case (2..., "rooms"):
            guard let route = Self.inRoom(RoomID(parts[1]), parts.dropFirst(2)) else { return nil }
            self = route
        default: return nil
        }
    }

    private static func inRoom(_ room: RoomID, _ rest: ArraySlice<String>) -> StateRoute? {
        let parts = Array(rest)
        switch (parts.count, parts.first) {
        case (0, _): return .room(room)
        case (1, "snapshot"): return .snapshot(room)
        case (1, "events"): return .recentEvents(room)
        case (1, "minutes"): return .minutes(room)
        case (1, "mute"): return .mute(room)
        case (1, "lock"): return .lock(room, isLocked: true)
        case (1, "unlock"): return .lock(room, isLocked: false)
        case (1, "messages"): return .messages(room)
        case (1, "invites"): return .invites(room)
        case (1, "bans"): return .bans(room)
        case (2, "bans"): return .ban(room, parts[1])
        case (1, "peers"): return .peers(room)
        case (2, "peers"): return .peer(room, PeerID(parts[1]))
        case (3, "peers") where parts[2] == "why": return .explanation(room, PeerID(parts[1]))
        case (3, "peers") where parts[2] == "ban": return .peerBan(room, PeerID(parts[1]))
        case (3, "peers") where parts[2] == "recording": return .recording(room, PeerID(parts[1]))
        case (4, "peers") where parts[2] == "why" && parts[3] == "events":
            return .explanationEvents(room, PeerID(parts[1]))
        case (1, "transports"): return .transports(room)
        case (2, "transports"): return .transport(room, TransportID(parts[1]))
        case (1, "producers"): return .producers(room)
        case (2, "producers"): return .producer(room, ProducerID(parts[1]))
        case (3, "producers") where parts[2] == "pause":
            return .producerPause(room, ProducerID(parts[1]), isPaused: true)
        case (3, "producers") where parts[2] == "resume":
            return .producerPause(room, ProducerID(parts[1]), isPaused: false)
        case (1, "consumers"): return .consumers(room)
        case (2, "consumers"): return .consumer(room, ConsumerID(parts[1]))
        default: return nil
        }
    }

    /// What may be done with it; HEAD goes with GET.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .rooms: [.get, .post]
        case .room: [.get, .delete]
        case .peer: [.get, .patch, .delete]
        case .transport: [.get, .patch]
        case .ban: [.delete]
        case .producerPause, .mute, .lock, .messages, .invites, .peerBan: [.post]
        case .recording: [.get, .post, .delete]
        case .allPeers, .history, .record, .audit, .bans, .snapshot, .recentEvents, .minutes, .peers,
            .explanation, .explanationEvents, .transports, .producers, .producer, .consumers,
            .consumer, .server, .shards, .events:
            [.get]
        }
    }

    /// The query parameters of its GET.
    var parameters: [String] {
        switch self {
        case .rooms: ["limit", "offset", "name", "minPeers"]
        case .allPeers, .history: ["limit", "offset", "name"]
        case .audit: ["limit", "offset"]
        case .peers: ["limit", "offset", "name", "joined"]
        case .transports: ["limit", "offset", "peer"]
        case .producers: ["limit", "offset", "peer", "kind", "paused"]
        case .consumers: ["limit", "offset", "peer", "producer", "kind", "paused"]
        case .recentEvents: ["limit"]
        case .events: ["room", "lastEventId"]
        case .explanation: ["ago", "history", "format"]
        case .recording: ["transport"]
        case .room, .snapshot, .minutes, .peer, .explanationEvents, .transport, .producer, .producerPause, .consumer,
            .server,
            .shards, .mute, .lock, .messages, .invites, .bans, .ban, .peerBan, .record:
            []
        }
    }

    /// The room whose moderators may ask this, too.
    var moderated: RoomID? {
        switch self {
        case .room(let room), .peers(let room), .peer(let room, _), .producerPause(let room, _, _), .mute(let room),
            .lock(let room, _), .messages(let room), .invites(let room), .bans(let room), .ban(let room, _),
            .peerBan(let room, _):
            room
        case .rooms, .allPeers, .history, .record, .audit, .snapshot, .recentEvents, .minutes, .explanation,
            .explanationEvents, .recording, .transports, .transport, .producers, .producer, .consumers, .consumer,
            .server, .shards, .events:
            nil
        }
    }
}
