public import Media

/// A room at one moment, for the HTTP API.
public struct RoomSnapshot: Sendable, JSONRepresentable {
    /// Which room.
    public var id: RoomID
    /// Its peers, in the order they came.
    public var peers: [PeerSnapshot]
    /// Whether every transport's counters arrived in time; if not, they are absent.
    public var isComplete: Bool

    /// The snapshot as the HTTP API shows it.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "complete": .bool(isComplete), "peers": .array(peers.map(\.json)),
        ])
    }
}

/// A peer at one moment.
public struct PeerSnapshot: Sendable, JSONRepresentable {
    /// Which peer, how it is called and what it runs.
    public var peer: PeerDescription
    /// Whether others see it.
    public var isJoined: Bool
    /// Its transports.
    public var transports: [TransportSnapshot]

    /// The peer's fields and its transports.
    public var json: JSONValue {
        .object([
            "id": .string(peer.id.rawValue), "displayName": .string(peer.displayName), "device": peer.device.json,
            "joined": .bool(isJoined), "transports": .array(transports.map(\.json)),
        ])
    }
}

/// A transport at one moment.
public struct TransportSnapshot: Sendable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// The media thread that owns it.
    public var shard: Int
    /// How its client reaches it.
    public var path: TransportPath
    /// Its counters, if they arrived in time.
    public var statistics: TransportStatistics?
    /// What does not flow although it should.
    public var warnings: [TransportWarning]
    /// What it receives.
    public var producers: [ProducerSnapshot]
    /// What it sends.
    public var consumers: [ConsumerSnapshot]

    /// The transport's fields, its producers and consumers.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "shard": .integer(Int64(shard)),
            "srtpProfile": statistics?.srtpProfile.map { .string($0) },
            "bytesReceived": statistics.map { .count($0.bytes.received) },
            "packetsReceived": statistics.map { .count($0.packetsReceived) },
            "bytesSent": statistics.map { .count($0.bytes.sent) },
            "packetsSent": statistics.map { .count($0.packetsSent) },
            "warnings": .array(warnings.map(\.json)), "producers": .array(producers.map(\.json)),
            "consumers": .array(consumers.map(\.json)),
        ]).merging(path.json)
    }
}

/// How a transport and its client reach each other.
public enum TransportPath: Sendable, Hashable {
    /// With ICE and DTLS; `selected` are the addresses in use.
    case webRTC(ICEState, DTLSState, selected: TransportTuple?)
    /// RTP on sockets of the transport's own.
    case plain(PlainTransportState)

    fileprivate var json: JSONValue {
        switch self {
        case .webRTC(let ice, let dtls, let selected):
            .fields([
                "type": .string("webrtc"), "iceState": .string(ice.rawValue), "dtlsState": .string(dtls.rawValue),
                "iceSelectedTuple": selected?.json,
            ])
        case .plain(let state): state.json.merging(.object(["type": .string("plain")]))
        }
    }
}

/// A plain transport's settings and addresses.
public struct PlainTransportState: Sendable, Hashable {
    /// Whether the client's addresses are learned.
    public var comedia: Bool
    /// Whether RTP and RTCP share a port.
    public var rtcpMux: Bool
    /// The addresses, as far as they are known.
    public var tuples: PlainTuples

    /// mediasoup's names.
    var json: JSONValue {
        .fields([
            "comedia": .bool(comedia), "rtcpMux": .bool(rtcpMux), "tuple": tuples.rtp.json,
            "rtcpTuple": tuples.rtcp?.json,
        ])
    }
}

extension PlainTuple {
    /// mediasoup's shape, with the older `localIp`; the client's side is absent until it is known.
    var json: JSONValue {
        .fields([
            "localAddress": .string(localAddress), "localIp": .string(localAddress),
            "localPort": .integer(Int64(localPort)), "remoteIp": remoteAddress.map { .string($0) },
            "remotePort": remotePort.map { .integer(Int64($0)) }, "protocol": .string("udp"),
        ])
    }
}

/// A producer at one moment.
public struct ProducerSnapshot: Sendable, JSONRepresentable {
    /// Which producer.
    public var id: ProducerID
    /// Audio or video.
    public var kind: MediaKind
    /// Its type.
    public var type: ProducerType
    /// The first codec's MIME type.
    public var mimeType: String
    /// Whether its peer paused it.
    public var isPaused: Bool
    /// Of the streams that have been received.
    public var scores: [ProducerScore]
    /// Statistics entries as `getProducerStats` gives them.
    public var statistics: [JSONValue]

    /// The producer's fields.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "kind": .string(kind.rawValue), "type": .string(type.rawValue),
            "mimeType": .string(mimeType), "paused": .bool(isPaused), "score": .array(scores.map(\.json)),
            "streams": .array(statistics),
        ])
    }
}

/// A consumer at one moment.
public struct ConsumerSnapshot: Sendable, JSONRepresentable {
    /// Which consumer.
    public var id: ConsumerID
    /// What it consumes.
    public var producerID: ProducerID
    /// Audio or video.
    public var kind: MediaKind
    /// How the producer's encodings are made.
    public var type: ProducerType
    /// The first codec's MIME type.
    public var mimeType: String
    /// Whether its own peer paused it, or has not yet accepted it.
    public var isPaused: Bool
    /// Whether the producer is paused.
    public var isProducerPaused: Bool
    /// 0…10.
    public var score: Int
    /// What is sent of several layers; `nil` while nothing is, and of a simple producer.
    public var currentLayers: ConsumerLayers?
    /// Statistics entries as `getConsumerStats` gives them.
    public var statistics: [JSONValue]

    /// The consumer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "producerId": .string(producerID.rawValue), "kind": .string(kind.rawValue),
            "type": .string(type.rawValue), "mimeType": .string(mimeType), "paused": .bool(isPaused),
            "producerPaused": .bool(isProducerPaused), "score": .integer(Int64(score)),
            "currentLayers": currentLayers.map {
                .object([
                    "spatialLayer": .integer(Int64($0.spatial)), "temporalLayer": .integer(Int64($0.temporal)),
                ])
            },
            "streams": .array(statistics),
        ])
    }
}

extension TransportTuple {
    /// mediasoup's shape, with the older `localIp`.
    var json: JSONValue {
        .object([
            "localAddress": .string(localAddress), "localIp": .string(localAddress),
            "localPort": .integer(Int64(localPort)), "remoteIp": .string(remoteAddress),
            "remotePort": .integer(Int64(remotePort)), "protocol": .string(transport.rawValue),
        ])
    }
}

/// A line of `RoomRegistry.list()`.
public struct RoomSummary: Sendable, Hashable, JSONRepresentable {
    /// Which room.
    public var id: RoomID
    /// How much is in it.
    public var counts: RoomCounts

    /// The room's fields.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "peers": .integer(Int64(counts.peers)),
            "transports": .integer(Int64(counts.transports)), "producers": .integer(Int64(counts.producers)),
            "consumers": .integer(Int64(counts.consumers)),
        ])
    }
}

/// How many objects a room has.
public struct RoomCounts: Sendable, Hashable {
    /// Connected peers, joined or not.
    public var peers = 0
    /// Open transports.
    public var transports = 0
    /// Open producers.
    public var producers = 0
    /// Open consumers.
    public var consumers = 0

    /// Nothing.
    public init() {}
}
