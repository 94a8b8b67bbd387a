import RoundhouseRooms

/// The protocol of 2026: identifiers are called by their objects (`transportId`, not `id`), answers are objects always,
/// and what needs no answer is a notification.
struct Protoo2026: ProtooVocabulary {
    /// Where a client would send its statistics: nowhere.
    static let firstMethod = "getRtcStatsUrl"

    let notifications: Set<String> = [
        "closeProducer", "pauseProducer", "resumeProducer", "pauseConsumer", "resumeConsumer",
        "setConsumerPreferredLayers", "setConsumerPriority", "requestConsumerKeyFrame", "changeDisplayName",
        "closeDataProducer", "pauseDataProducer", "resumeDataProducer", "closeDataConsumer", "pauseDataConsumer",
        "resumeDataConsumer", "sendDataMessage",
    ]

    // MARK: Requests of the client

    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning {
        switch method {
        case Self.firstMethod: .known(.object([:]))
        case "createWebRtcTransport": .room(.createWebRtcTransport(try Self.transport(data)))
        // All its clients have data channels, and do not say so.
        case "join":
            .room(try Self.join(data))
        case "stopNetworkThrottle": .room(try SignalingRequest(method: "resetNetworkThrottle", data: data))
        case "resetNetworkThrottle":
            throw RoomError(.unknownMethod, "unknown request.method \"resetNetworkThrottle\"")
        default: .room(try SignalingRequest(method: method, data: data))
        }
    }

    /// Whether it is a request for a transport as only clients of 2026 make it.
    static func isTransport(_ data: JSONValue) -> Bool {
        guard case .object(let fields) = data, case .object(let appData)? = fields["appData"] else { return false }
        return appData["direction"] != nil && fields["producing"] == nil && fields["consuming"] == nil
    }

    /// What it is for is in the application's data here.
    private static func transport(_ data: JSONValue) throws(RoomError) -> CreateWebRtcTransportRequest {
        do throws(JSONFieldError) {
            let reader = JSONReader(data)
            var request = try CreateWebRtcTransportRequest(reader)
            request.dataChannels = request.dataChannels ?? DataChannelsRequest()
            let direction = try reader.required("appData").required("direction")
            switch try direction.string() {
            case "producer": request.producing = true
            case "consumer": request.consuming = true
            default: throw direction.failure("not one of producer, consumer")
            }
            return request
        } catch {
            throw RoomError(.invalidRequest, error.description)
        }
    }

    private static func join(_ data: JSONValue) throws(RoomError) -> SignalingRequest {
        guard case .join(var join) = try SignalingRequest(method: "join", data: data) else {
            throw RoomError(.internalError, "a join that is none")
        }
        if !join.getsDataBySignaling { (join.receivesData, join.wantsBot) = (true, true) }
        return .join(join)
    }

    // MARK: Answers

    func data(of response: SignalingResponse) -> JSONValue {
        switch response {
        case .routerRtpCapabilities(let capabilities): .object(["routerRtpCapabilities": capabilities.json])
        case .joined(let answer): Self.joined(answer)
        case .peers(let peers): .object(["peers": .array(peers.map(Self.peer))])
        case .webRtcTransport(let transport): Self.renamed(transport.json, ["id": "transportId"])
        case .iceParameters(let parameters): .object(["iceParameters": parameters.json])
        case .producer(let id): .object(["producerId": .string(id.rawValue)])
        case .consumer(let consumer): Self.consumer(consumer)
        case .statistics(let entries): .object(["stats": .array(entries)])
        case .dataProducer(let id): .object(["dataProducerId": .string(id.rawValue)])
        case .dataConsumer(let consumer): Self.dataConsumer(consumer)
        case .producers, .plainTransport, .done: response.json
        }
    }

    // MARK: Messages of the server

    func knows(_ notification: ServerNotification) -> Bool { true }

    func method(of notification: ServerNotification) -> String {
        switch notification {
        case .mediasoupVersion: "mediasoupVersion"
        default: notification.method
        }
    }

    func data(of notification: ServerNotification) -> JSONValue {
        switch notification {
        case .newPeer(let peer): return .object(["peer": Self.peer(peer)])
        case .consumerLayersChanged(let id, let spatialLayer, let temporalLayer, let reason):
            let layers: JSONValue? = spatialLayer.map { spatial in
                .fields([
                    "spatialLayer": .integer(Int64(spatial)),
                    "temporalLayer": temporalLayer.map { .integer(Int64($0)) },
                ])
            }
            return .fields([
                "consumerId": .string(id.rawValue), "layers": layers, "reason": reason.map { .string("\($0)") },
            ])
        case .activeSpeaker(let id, _): return .fields(["peerId": id.map { .string($0.rawValue) }])
        default: return notification.json
        }
    }

    func data(of request: ServerRequest) -> JSONValue {
        switch request {
        case .newConsumer(let consumer): Self.consumer(consumer)
        case .newDataConsumer(let consumer): Self.dataConsumer(consumer)
        }
    }

    private static func joined(_ answer: JoinAnswer) -> JSONValue {
        guard case .object(var fields) = answer.json else { return .object([:]) }
        fields["peers"] = .array(answer.peers.map(peer))
        return .object(fields)
    }

    private static func peer(_ peer: PeerDescription) -> JSONValue { renamed(peer.json, ["id": "peerId"]) }

    private static func consumer(_ consumer: NewConsumerRequest) -> JSONValue {
        guard case .object(var fields) = renamed(consumer.json, ["id": "consumerId"]) else { return .object([:]) }
        fields["transportId"] = .string(consumer.transportID.rawValue)
        // Nothing was sent yet, and mediasoup's score of that is the best one.
        fields["consumerScore"] = .object([
            "score": .integer(10), "producerScore": .integer(10),
            "producerScores": .array(consumer.rtpParameters.encodings.map { _ in .integer(10) }),
        ])
        return .object(fields)
    }

    private static func dataConsumer(_ consumer: NewDataConsumerRequest) -> JSONValue {
        guard case .object(var fields) = renamed(consumer.json, ["id": "dataConsumerId"]) else { return .object([:]) }
        fields["transportId"] = .string(consumer.transportID.rawValue)
        // The bot's is nobody's.
        if consumer.peerID == nil { fields["peerId"] = nil }
        return .object(fields)
    }

    private static func renamed(_ json: JSONValue, _ names: [String: String]) -> JSONValue {
        guard case .object(let fields) = json else { return json }
        return .object(Dictionary(fields.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first })
    }
}
