import RoundhouseMedia
import RoundhouseRooms

/// What a client of the older Electron room server asks for with an event.
enum SocketIOEvent: Sendable {
    case createRoom(RoomID, password: Secret)
    case join(RoomID, name: String, password: Secret)
    case exitRoom
    case getMyRoomInfo
    case getProducers
    case resume
    case room(SignalingRequest)

    /// - Returns: `nil` for an event that room server does not know.
    /// - Throws: `RoomError` with code `invalidRequest`, naming the wrong field.
    init?(_ name: String, _ argument: JSONValue) throws(RoomError) {
        let data: JSONValue = if case .object = argument { argument } else { .object([:]) }
        do throws(JSONFieldError) {
            let reader = JSONReader(data)
            switch name {
            case "createRoom": self = .createRoom(try reader.roomID(), password: Secret(try reader.word("password")))
            case "join":
                let displayName = try reader.word("name")
                self = .join(
                    try reader.roomID(), name: displayName.isEmpty ? "unknow" : displayName,
                    password: Secret(try reader.word("password")))
            case "exitRoom": self = .exitRoom
            case "getMyRoomInfo": self = .getMyRoomInfo
            case "getProducers": self = .getProducers
            case "resume": self = .resume
            case "getRouterRtpCapabilities": self = .room(.getRouterRtpCapabilities)
            // The older server ignored the client's options, too; each transport serves both directions.
            case "createWebRtcTransport", "createSendTransport", "createRecvTransport":
                self = .room(.createWebRtcTransport(CreateWebRtcTransportRequest(producing: true, consuming: true)))
            case "restartIce": self = .room(.restartIce(TransportID(try reader.id("transport_id"))))
            case "producerClosed": self = .room(.closeProducer(ProducerID(try reader.id("producer_id"))))
            case "pauseProducer": self = .room(.pauseProducer(ProducerID(try reader.word("producer_id"))))
            case "resumeProducer": self = .room(.resumeProducer(ProducerID(try reader.word("producer_id"))))
            case "pauseConsumer": self = .room(.pauseConsumer(ConsumerID(try reader.id("consumer_id"))))
            case "resumeConsumer": self = .room(.resumeConsumer(ConsumerID(try reader.id("consumer_id"))))
            case "consume": self = .room(.consume(try ConsumeRequest(dialect: reader)))
            case "connectTransport":
                let transport = try reader.id("transport_id")
                let parameters = try RemoteDTLSParameters(try reader.required("dtlsParameters"))
                self = .room(
                    .connectWebRtcTransport(
                        ConnectWebRtcTransportRequest(
                            transportID: TransportID(transport), dtlsParameters: parameters)))
            case "produce":
                // Named as in mediasoup, whose reader then says what is wrong.
                _ = try reader.id("producerTransportId")
                guard case .object(var fields) = data else { return nil }
                fields["transportId"] = fields["producerTransportId"]
                fields["appData"] = nil
                fields["paused"] = nil
                self = .room(.produce(try ProduceRequest(JSONReader(.object(fields)))))
            default: return nil
            }
        } catch {
            throw RoomError(.invalidRequest, error.description)
        }
    }

    /// Whether everybody in the room is notified of it.
    var reachesEverybody: Bool {
        switch self {
        case .join, .exitRoom: true
        case .room(let request): request.reachesEverybody
        case .createRoom, .getMyRoomInfo, .getProducers, .resume: false
        }
    }

    /// The events a client may send, for metrics.
    static let names: Set<String> = [
        "createRoom", "join", "exitRoom", "getMyRoomInfo", "getProducers", "resume", "getRouterRtpCapabilities",
        "createWebRtcTransport", "createSendTransport", "createRecvTransport", "restartIce", "producerClosed",
        "pauseProducer", "resumeProducer", "pauseConsumer", "resumeConsumer", "consume", "connectTransport", "produce",
    ]

    /// Events that are answered with an event "… callback" if the client gave no function to answer.
    static let namesWithCallback: Set<String> = [
        "createRoom", "join", "getRouterRtpCapabilities", "createWebRtcTransport", "createSendTransport",
        "createRecvTransport", "produce", "consume",
    ]
}

extension ConsumeRequest {
    fileprivate init(dialect reader: JSONReader) throws(JSONFieldError) {
        let transport = try reader.id("consumerTransportId")
        let producer = try reader.id("producerId")
        var capabilities = try reader.required("rtpCapabilities")
        // Native clients send them as text.
        if case .string(let text) = capabilities.value {
            guard let json = try? JSONValue(parsing: text) else { throw capabilities.failure("not JSON") }
            capabilities = JSONReader(json, path: "rtpCapabilities")
        }
        self.init(
            transportID: TransportID(transport), producerID: ProducerID(producer),
            rtpCapabilities: try RTPCapabilities(capabilities))
    }
}

extension JSONReader {
    fileprivate func id(_ name: String) throws(JSONFieldError) -> String {
        try required(name).string(limit: 128)
    }

    /// Text, or a number as text, as JavaScript's loose comparison took both; empty if absent.
    fileprivate func word(_ name: String) throws(JSONFieldError) -> String {
        guard let field = try optional(name) else { return "" }
        if case .integer(let number) = field.value { return String(number) }
        return try field.string(limit: 256)
    }

    fileprivate func roomID() throws(JSONFieldError) -> RoomID {
        let text = try word("room_id")
        guard ClientName.room.admits(text) else {
            throw try required("room_id").failure(ClientName.room.rule)
        }
        return RoomID(text)
    }
}
