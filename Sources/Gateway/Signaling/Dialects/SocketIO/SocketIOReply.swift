import RoundhouseMedia
import RoundhouseRooms

/// How answers and notifications are written for clients of the older Electron room server.
///
/// The misspelt names ("sockerid", "is exits") are what its clients listen for.
enum SocketIOReply {
    /// An answer's value; `nil` for those this dialect does not ask for.
    static func value(of response: SignalingResponse) -> JSONValue? {
        switch response {
        case .routerRtpCapabilities(let capabilities): capabilities.json
        case .webRtcTransport(let transport): transport.json
        case .iceParameters(let parameters): parameters.json
        case .producer(let id): .object(["producer_id": .string(id.rawValue)])
        case .consumer(let consumer):
            .object([
                "producerId": .string(consumer.producerID.rawValue), "id": .string(consumer.id.rawValue),
                "kind": .string(consumer.kind.rawValue), "rtpParameters": consumer.rtpParameters.json,
                "type": .string(consumer.type.rawValue), "producerPaused": .bool(consumer.isProducerPaused),
            ])
        case .done: .string("success")
        case .joined, .producers, .peers, .statistics, .plainTransport, .dataProducer, .dataConsumer: nil
        }
    }

    /// Why a client may not connect, as Socket.IO's middleware says it.
    static func connectError(_ error: RoomError) -> JSONValue {
        .object([
            "message": .string(error.message), "data": .object(["code": .string(error.code.name)]),
        ])
    }

    static func error(_ error: RoomError) -> JSONValue { .object(["error": .string(error.message)]) }

    /// The room as `join` and `getMyRoomInfo` show it: the peers as a JSON text of pairs, a Map's entries.
    static func room(_ id: RoomID, _ peers: [PeerDescription]) -> [String: JSONValue] {
        let entries = peers.map { peer in
            let nothing = JSONValue.object([:])
            let description = JSONValue.object([
                "id": .string(peer.id.rawValue), "name": .string(peer.displayName), "transports": nothing,
                "consumers": nothing, "producers": nothing,
            ])
            return JSONValue.array([.string(peer.id.rawValue), description])
        }
        return ["id": .string(id.rawValue), "peers": .string(JSONValue.array(entries).text)]
    }

    static func othersInRoom(_ peers: [PeerDescription]) -> SocketIOPacket {
        .event(
            "othersInRoom",
            [
                .array(
                    peers.map {
                        .object(["socketid": .string($0.id.rawValue), "name": .string($0.displayName)])
                    })
            ])
    }

    /// The answer to `getProducers`, which names the peer twice.
    static func everyProducer(_ producers: [ProducerDescription]) -> SocketIOPacket {
        let items = producers.map { producer in
            JSONValue.object([
                "producer_id": .string(producer.id.rawValue), "peerId": .string(producer.peerID.rawValue),
                "producer_socket_id": .string(producer.peerID.rawValue),
            ])
        }
        return .event("newProducers", [.array(items)])
    }

    /// A notification as an event; `nil` for those the old room server did not have.
    static func event(for notification: ServerNotification, in room: RoomID) -> SocketIOPacket? {
        switch notification {
        case .newPeer(let peer):
            .event(
                "joined",
                [
                    .object([
                        "room_id": .string(room.rawValue), "name": .string(peer.displayName),
                        "socketid": .string(peer.id.rawValue),
                    ])
                ])
        case .peerClosed(let id, let reason):
            .event(
                reason == .left ? "a user is exits the room" : "a user is disconnected",
                [.object(["sockerid": .string(id.rawValue)])])
        case .newProducers(let producers):
            .event(
                "newProducers",
                [
                    .array(
                        producers.map {
                            .object([
                                "producer_id": .string($0.id.rawValue),
                                "producer_socket_id": .string($0.peerID.rawValue),
                            ])
                        })
                ])
        case .consumerClosed(let id): consumerEvent("consumerClosed", id)
        case .consumerPaused(let id): consumerEvent("consumerPaused", id)
        case .consumerResumed(let id): consumerEvent("consumerResumed", id)
        case .serverDraining(let seconds):
            .event("serverDraining", [.object(["seconds": .integer(Int64(seconds))])])
        case .mediasoupVersion, .peerDisplayNameChanged, .producerUnsupported, .producerScore, .producerPaused,
            .producerResumed, .producerEncodingsUsed, .permissionsChanged, .roomLockChanged, .operatorMessage,
            .consumerScore, .consumerLayersChanged,
            .downlinkBwe, .activeSpeaker, .speakingPeers, .dataConsumerClosed, .dataConsumerBufferedAmountLow,
            .dataConsumerSendBufferFull, .newDataProducers, .dataMessage:
            nil
        }
    }

    private static func consumerEvent(_ name: String, _ id: ConsumerID) -> SocketIOPacket {
        .event(name, [.object(["consumer_id": .string(id.rawValue)])])
    }
}
