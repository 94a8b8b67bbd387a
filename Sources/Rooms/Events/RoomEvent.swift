public import RoundhouseMedia

/// Something that happened in a room, for operators.
public struct RoomEvent: Sendable, Hashable {
    /// Where it stands among the events of all rooms.
    public var id: RoomEventID
    /// Which room.
    public var room: RoomID
    /// Where it stands among the room's events: 1, 2, 3 … from its opening on.
    public var sequence: UInt64
    /// Milliseconds since 1970.
    public var time: Int64
    /// What happened.
    public var kind: Kind

    /// What can happen. Indirect: two logs keep the events, and one allocation of the case's size serves both.
    public indirect enum Kind: Sendable, Hashable {
        case roomOpened
        case roomClosed(PeerCloseReason)
        /// Nobody but moderators gets in any more.
        case roomLocked
        case roomUnlocked
        /// A connection is there; others do not see the peer yet.
        case peerConnected(PeerID)
        case peerJoined(PeerDescription)
        case peerRenamed(PeerID, displayName: String)
        /// What the peer may do was changed.
        case peerPermissions(PeerID, PeerPermissions)
        case peerLeft(PeerID, PeerCloseReason)
        case transportOpened(TransportID, peer: PeerID)
        case transportChanged(TransportID, peer: PeerID, ICEState, DTLSState)
        /// The address of a plain transport's client is known: announced, or taken from its first packet.
        case transportTuple(TransportID, peer: PeerID, PlainTuples)
        /// What its client means to send or get does not flow.
        case transportWarning(TransportID, peer: PeerID, TransportWarning)
        /// It flows, or is not expected any more.
        case transportWarningCleared(TransportID, peer: PeerID, TransportWarning.Kind)
        case transportClosed(TransportID, peer: PeerID)
        case producerOpened(
            ProducerID, peer: PeerID, transport: TransportID, MediaKind, ProducerType, mimeType: String, isPaused: Bool,
            source: String?)
        case producerClosed(ProducerID, peer: PeerID)
        case producerPaused(ProducerID, peer: PeerID)
        case producerResumed(ProducerID, peer: PeerID)
        /// Its client sends a different one of its codecs from now on.
        case producerCodec(ProducerID, peer: PeerID, mimeType: String)
        /// The peer is not offered the producer, which it could not decode.
        case producerUnsupported(ProducerID, peer: PeerID, reason: String)
        case producerScore(ProducerID, [ProducerScore])
        case consumerOpened(
            ConsumerID, peer: PeerID, transport: TransportID, producer: ProducerID, MediaKind, mimeType: String)
        case consumerClosed(ConsumerID, peer: PeerID)
        /// It is pointed at another producer.
        case consumerSwitched(ConsumerID, peer: PeerID, producer: ProducerID)
        case consumerPaused(ConsumerID, peer: PeerID)
        case consumerResumed(ConsumerID, peer: PeerID)
        case consumerScore(ConsumerID, ConsumerScore)
        case consumerLayers(ConsumerID, spatial: Int?, temporal: Int?)
        /// A transport's SCTP association begins, is there, or has ended.
        case transportSCTP(TransportID, peer: PeerID, SCTPConnectionState)
        case dataProducerOpened(DataProducerID, peer: PeerID, label: String)
        case dataProducerClosed(DataProducerID, peer: PeerID)
        case dataConsumerOpened(DataConsumerID, peer: PeerID, dataProducer: DataProducerID)
        case dataConsumerClosed(DataConsumerID, peer: PeerID)
        /// The peer that speaks now, or nobody.
        case activeSpeaker(PeerID?)
    }
}

extension RoomEvent.Kind {
    /// The type's name for clients.
    public var name: String {
        switch self {
        case .roomOpened: "room-opened"
        case .roomClosed: "room-closed"
        case .roomLocked: "room-locked"
        case .roomUnlocked: "room-unlocked"
        case .peerConnected: "peer-connected"
        case .peerJoined: "peer-joined"
        case .peerRenamed: "peer-renamed"
        case .peerPermissions: "peer-permissions"
        case .peerLeft: "peer-left"
        case .transportOpened: "transport-opened"
        case .transportChanged: "transport-changed"
        case .transportTuple: "transport-tuple"
        case .transportWarning: "transport-warning"
        case .transportWarningCleared: "transport-warning-cleared"
        case .transportClosed: "transport-closed"
        case .producerOpened: "producer-opened"
        case .producerClosed: "producer-closed"
        case .producerPaused: "producer-paused"
        case .producerResumed: "producer-resumed"
        case .producerCodec: "producer-codec"
        case .producerUnsupported: "producer-unsupported"
        case .producerScore: "producer-score"
        case .consumerOpened: "consumer-opened"
        case .consumerClosed: "consumer-closed"
        case .consumerSwitched: "consumer-switched"
        case .consumerPaused: "consumer-paused"
        case .consumerResumed: "consumer-resumed"
        case .consumerScore: "consumer-score"
        case .consumerLayers: "consumer-layers"
        case .transportSCTP: "transport-sctp"
        case .dataProducerOpened: "data-producer-opened"
        case .dataProducerClosed: "data-producer-closed"
        case .dataConsumerOpened: "data-consumer-opened"
        case .dataConsumerClosed: "data-consumer-closed"
        case .activeSpeaker: "active-speaker"
        }
    }

    /// What else is to be said of it.
    var data: JSONValue {
        switch self {
        case .roomOpened, .roomLocked, .roomUnlocked: .object([:])
        case .roomClosed(let reason): .object(["reason": .string(reason.rawValue)])
        case .peerConnected(let id): .object(["peerId": .string(id.rawValue)])
        case .peerJoined(let peer):
            .object([
                "peerId": .string(peer.id.rawValue), "displayName": .string(peer.displayName),
                "device": peer.device.json,
            ])
        case .peerRenamed(let id, let displayName):
            .object(["peerId": .string(id.rawValue), "displayName": .string(displayName)])
        case .peerPermissions(let id, let permissions):
            .object(["peerId": .string(id.rawValue), "permissions": permissions.json])
        case .peerLeft(let id, let reason):
            .object(["peerId": .string(id.rawValue), "reason": .string(reason.rawValue)])
        case .transportOpened(let id, let peer), .transportClosed(let id, let peer):
            .object(["transportId": .string(id.rawValue), "peerId": .string(peer.rawValue)])
        case .transportChanged(let id, let peer, let ice, let dtls):
            .object([
                "transportId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "iceState": .string(ice.rawValue),
                "dtlsState": .string(dtls.rawValue),
            ])
        case .transportTuple(let id, let peer, let tuples):
            .fields([
                "transportId": .string(id.rawValue), "peerId": .string(peer.rawValue), "tuple": tuples.rtp.json,
                "rtcpTuple": tuples.rtcp?.json,
            ])
        case .transportWarning(let id, let peer, let warning):
            .object([
                "transportId": .string(id.rawValue), "peerId": .string(peer.rawValue), "warning": warning.json,
            ])
        case .transportWarningCleared(let id, let peer, let kind):
            .object([
                "transportId": .string(id.rawValue), "peerId": .string(peer.rawValue), "code": .string(kind.rawValue),
            ])
        case .producerOpened(
            let id, let peer, let transport, let kind, let type, let mimeType, let isPaused, let source):
            .fields([
                "producerId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "transportId": .string(transport.rawValue), "kind": .string(kind.rawValue),
                "producerType": .string(type.rawValue), "mimeType": .string(mimeType), "paused": .bool(isPaused),
                "source": source.map { .string($0) },
            ])
        case .producerClosed(let id, let peer), .producerPaused(let id, let peer), .producerResumed(let id, let peer):
            .object(["producerId": .string(id.rawValue), "peerId": .string(peer.rawValue)])
        case .producerCodec(let id, let peer, let mimeType):
            .object([
                "producerId": .string(id.rawValue), "peerId": .string(peer.rawValue), "mimeType": .string(mimeType),
            ])
        case .producerUnsupported(let id, let peer, let reason):
            .object([
                "producerId": .string(id.rawValue), "peerId": .string(peer.rawValue), "reason": .string(reason),
            ])
        case .producerScore(let id, let scores): ServerNotification.producerScore(id, scores).json
        case .consumerOpened(let id, let peer, let transport, let producer, let kind, let mimeType):
            .object([
                "consumerId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "transportId": .string(transport.rawValue), "producerId": .string(producer.rawValue),
                "kind": .string(kind.rawValue), "mimeType": .string(mimeType),
            ])
        case .consumerSwitched(let id, let peer, let producer):
            .object([
                "consumerId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "producerId": .string(producer.rawValue),
            ])
        case .consumerClosed(let id, let peer), .consumerPaused(let id, let peer), .consumerResumed(let id, let peer):
            .object(["consumerId": .string(id.rawValue), "peerId": .string(peer.rawValue)])
        case .consumerScore(let id, let score): ServerNotification.consumerScore(id, score).json
        case .consumerLayers(let id, let spatial, let temporal):
            ServerNotification.consumerLayersChanged(id, spatialLayer: spatial, temporalLayer: temporal).json
        case .transportSCTP(let id, let peer, let state):
            .object([
                "transportId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "sctpState": .string(state.rawValue),
            ])
        case .dataProducerOpened(let id, let peer, let label):
            .object([
                "dataProducerId": .string(id.rawValue), "peerId": .string(peer.rawValue), "label": .string(label),
            ])
        case .dataProducerClosed(let id, let peer):
            .object(["dataProducerId": .string(id.rawValue), "peerId": .string(peer.rawValue)])
        case .dataConsumerOpened(let id, let peer, let producer):
            .object([
                "dataConsumerId": .string(id.rawValue), "peerId": .string(peer.rawValue),
                "dataProducerId": .string(producer.rawValue),
            ])
        case .dataConsumerClosed(let id, let peer):
            .object(["dataConsumerId": .string(id.rawValue), "peerId": .string(peer.rawValue)])
        case .activeSpeaker(let id): .object(["peerId": id.map { .string($0.rawValue) } ?? .null])
        }
    }

    /// A client's notification about a track that operators want to see too.
    init?(_ notification: ServerNotification) {
        switch notification {
        case .producerScore(let id, let scores): self = .producerScore(id, scores)
        case .consumerScore(let id, let score): self = .consumerScore(id, score)
        case .consumerLayersChanged(let id, let spatial, let temporal, _):
            self = .consumerLayers(id, spatial: spatial, temporal: temporal)
        case .activeSpeaker(let id, _): self = .activeSpeaker(id)
        default: return nil
        }
    }
}

extension RoomEvent: JSONRepresentable {
    /// The event as the HTTP API shows it.
    public var json: JSONValue {
        .object([
            "id": .string(id.description), "room": .string(room.rawValue), "sequence": .count(sequence),
            "time": .integer(time), "type": .string(kind.name), "data": kind.data,
        ])
    }
}
