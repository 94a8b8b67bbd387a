import Logging
import NIOCore
import RoundhouseRooms
import Synchronization
import Testing

@testable import RoundhouseGateway
@testable import RoundhouseMedia

/// How much one message of a client makes the server send, over every message of every dialect (decision 19).
@Suite(.timeLimit(.minutes(15))) struct AmplificationTests {
    /// Everything that a client can ask a room for. A new case of `SignalingRequest` compiles only with one here, and that only
    /// with its messages, which are then measured.
    private enum Kind: String, CaseIterable {
        case getRouterRtpCapabilities, join, createWebRtcTransport, connectWebRtcTransport, createPlainTransport
        case connectPlainTransport, restartIce, produce, closeProducer, pauseProducer, resumeProducer, pauseConsumer
        case resumeConsumer, closeConsumer, consume, getProducers, getPeers, setConsumerPreferredLayers
        case setConsumerPriority, requestConsumerKeyFrame, switchProducer, produceData, changeDisplayName
        case closeDataProducer, pauseDataProducer, resumeDataProducer, consumeData, closeDataConsumer
        case pauseDataConsumer, resumeDataConsumer, setDataConsumerSubchannels, sendDataMessage
        case setBufferedAmountLowThreshold = "setDataConsumerBufferedAmountLowThreshold"
        case getTransportStats, getProducerStats, getConsumerStats, getDataProducerStats, getDataConsumerStats
        case applyNetworkThrottle, resetNetworkThrottle

        init(_ request: SignalingRequest) {
            self =
                switch request {
                case .getRouterRtpCapabilities: .getRouterRtpCapabilities
                case .join: .join
                case .createWebRtcTransport: .createWebRtcTransport
                case .connectWebRtcTransport: .connectWebRtcTransport
                case .createPlainTransport: .createPlainTransport
                case .connectPlainTransport: .connectPlainTransport
                case .restartIce: .restartIce
                case .produce: .produce
                case .closeProducer: .closeProducer
                case .pauseProducer: .pauseProducer
                case .resumeProducer: .resumeProducer
                case .pauseConsumer: .pauseConsumer
                case .resumeConsumer: .resumeConsumer
                case .closeConsumer: .closeConsumer
                case .consume: .consume
                case .getProducers: .getProducers
                case .getPeers: .getPeers
                case .setConsumerPreferredLayers: .setConsumerPreferredLayers
                case .setConsumerPriority: .setConsumerPriority
                case .requestConsumerKeyFrame: .requestConsumerKeyFrame
                case .switchProducer: .switchProducer
                case .produceData: .produceData
                case .closeDataProducer: .closeDataProducer
                case .pauseDataProducer: .pauseDataProducer
                case .resumeDataProducer: .resumeDataProducer
                case .consumeData: .consumeData
                case .closeDataConsumer: .closeDataConsumer
                case .pauseDataConsumer: .pauseDataConsumer
                case .resumeDataConsumer: .resumeDataConsumer
                case .setDataConsumerSubchannels: .setDataConsumerSubchannels
                case .setBufferedAmountLowThreshold: .setBufferedAmountLowThreshold
                case .sendDataMessage: .sendDataMessage
                case .changeDisplayName: .changeDisplayName
                case .getTransportStats: .getTransportStats
                case .getProducerStats: .getProducerStats
                case .getConsumerStats: .getConsumerStats
                case .getDataProducerStats: .getDataProducerStats
                case .getDataConsumerStats: .getDataConsumerStats
                case .applyNetworkThrottle: .applyNetworkThrottle
                case .resetNetworkThrottle: .resetNetworkThrottle
                }
        }

        /// Whether the answer has a line for everybody, or every track, in the room.
        var listsRoom: Bool { self == .join || self == .getPeers || self == .getProducers }
        /// Whether objects end by it that others were notified of when they began.
        var endsObjects: Bool { self == .closeProducer }
    }

    /// Somebody else in the room: counts what it is sent, as a client of its dialect would get it.
    private final class Observer: PeerChannel {
        let name: String
        private let bytes = Atomic<Int>(0)
        private let text: @Sendable (OutgoingSignal) -> String?

        init(_ name: String, _ text: @escaping @Sendable (OutgoingSignal) -> String?) {
            self.name = name
            self.text = text
        }

        var received: Int { bytes.load(ordering: .relaxed) }
        private func add(_ signal: OutgoingSignal) {
            bytes.add(text(signal)?.utf8.count ?? 0, ordering: .relaxed)
        }

        func notify(_ notification: ServerNotification) { add(.notification(notification)) }
        func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
            add(.request(request, id: .max))
            completion(.accepted)
        }
        func close(_ reason: PeerCloseReason) {}
    }

    private static let room = RoomID(String(repeating: "🏠", count: 64))
    /// The longest names, of characters that JSON has to escape.
    private static let longName = String(repeating: "\u{1}", count: 256)
    private static let dialects: [any SignalingDialect] = [ProtooDialect(), ProtooDialect(vocabulary: Protoo2026())]

    private struct World {
        let rooms: RoomRegistry
        let room: Room
        let observers: [Observer]
        let sender: PeerSession
        let own: Observer
        let transport: TransportID
        let producer: ProducerID
        let consumer: ConsumerID
        let others: ProducerID
        let plain: TransportID
        let dataProducer: DataProducerID
        let dataConsumer: DataConsumerID
        /// One that has not joined yet.
        let newcomer: PeerSession
    }

    private static func world(dialect: any SignalingDialect) async throws -> World {
        let rooms = try RoomRegistry(
            media: .recording { _, command in
                if case .collectStatistics(let token, let keys, _, let queue) = command {
                    queue.append(.statistics(token: token, keys.map { TransportStatistics(key: $0) }))
                }
                return true
            })
        var observers: [Observer] = []
        for (name, other) in zip(["protoo 2024", "protoo 2026"], dialects) {
            observers.append(
                Observer(name) { signal in
                    if case .notification(let notification) = signal, !other.knows(notification) { return nil }
                    return other.encode(signal, number: .max)
                })
        }
        observers.append(
            Observer("Socket.IO") { signal in
                guard case .notification(let notification) = signal else { return nil }
                return SocketIOReply.event(for: notification, in: AmplificationTests.room)?.numbered(.max).text
            })
        var sessions: [PeerSession] = []
        var transports: [TransportID] = []
        var opened: Room?
        func peer(_ index: Int, _ channel: Observer) async throws -> PeerSession {
            let id = PeerID("\(index)" + String(repeating: "👤", count: 63))
            let (room, session) = try await rooms.connect(id, to: Self.room, through: channel)
            opened = room
            return session
        }
        let own = Observer("the sender") { dialect.encode($0, number: .max) }
        let channels = observers + [own]
        for (index, channel) in channels.enumerated() {
            let session = try await peer(index, channel)
            let room = try #require(opened)
            let answer = try await room.request(
                .createWebRtcTransport(
                    .init(producing: true, consuming: true, dataChannels: DataChannelsRequest())), from: session)
            guard case .webRtcTransport(let transport) = answer else { throw NeverHappened() }
            var join = JoinRequest(
                displayName: Self.longName, rtpCapabilities: rooms.routerCapabilities,
                consumesOnRequest: channel.name == "Socket.IO")
            // One has data channels, the other has not.
            (join.receivesData, join.getsDataBySignaling) = (
                channel.name != "protoo 2024", channel.name == "protoo 2024"
            )
            join.getsEncodingUse = true
            _ = try await room.request(.join(join), from: session)
            sessions.append(session)
            transports.append(transport.id)
        }
        let room = try #require(opened)
        func produced(_ transport: TransportID, by session: PeerSession) async throws -> ProducerID {
            let request = try SignalingRequest(
                method: "produce", data: JSONValue(parsing: produce(transport, ssrc: 1111, isLarge: false)))
            guard case .producer(let id) = try await room.request(request, from: session) else { throw NeverHappened() }
            return id
        }
        func consumed(_ producer: ProducerID, _ transport: TransportID, by session: PeerSession) async throws
            -> ConsumerID
        {
            let request = ConsumeRequest(
                transportID: transport, producerID: producer, rtpCapabilities: rooms.routerCapabilities)
            guard case .consumer(let consumer) = try await room.request(.consume(request), from: session) else {
                throw NeverHappened()
            }
            return consumer.id
        }
        let others = try await produced(transports[0], by: sessions[0])
        let mine = try await produced(transports[3], by: sessions[3])
        _ = try await consumed(mine, transports[2], by: sessions[2])
        let newcomer = try await peer(9, own)
        let produceData = ProduceDataRequest(
            transportID: transports[3], streamParameters: SCTPStreamParameters(streamID: 0), label: Self.longName)
        guard
            case .dataProducer(let dataProducer) = try await room.request(.produceData(produceData), from: sessions[3])
        else { throw NeverHappened() }
        let consumeData = ConsumeDataRequest(transportID: transports[3], dataProducerID: dataProducer)
        guard
            case .dataConsumer(let dataConsumer) = try await room.request(.consumeData(consumeData), from: sessions[3])
        else { throw NeverHappened() }
        // A sender that consumes on request, too, has a consumer whose name is known here.
        let consumer = try await consumed(others, transports[3], by: sessions[3])
        guard
            case .plainTransport(let plain) = try await room.request(
                .createPlainTransport(CreatePlainTransportRequest(comedia: false)), from: newcomer)
        else { throw NeverHappened() }
        return World(
            rooms: rooms, room: room, observers: observers, sender: sessions[3], own: own, transport: transports[3],
            producer: mine, consumer: consumer, others: others, plain: plain.id,
            dataProducer: dataProducer, dataConsumer: dataConsumer.id, newcomer: newcomer)
    }

    /// - Parameter isLarge: as much in it as is taken, and in few bytes what takes many when it is written again.
    private static func produce(_ transport: TransportID, ssrc: Int, isLarge: Bool) -> String {
        let many = (0..<60).map { #""p\#($0)":1e15"# }.joined(separator: ",")
        let more = (0..<60).map { #""q\#($0)":"\#(String(repeating: "\\u0001", count: 30))""# }.joined(separator: ",")
        let numbers = Array(repeating: "1e15", count: 230).joined(separator: ",")
        return """
            {"transportId":"\(transport.rawValue)","kind":"video","appData":{"a":[\(isLarge ? numbers : "")]},\
            "rtpParameters":{"encodings":[{"ssrc":\(ssrc)}],"codecs":[{"mimeType":"video/VP8","payloadType":101,\
            "clockRate":90000,"parameters":{\(isLarge ? many : "")}}\(isLarge ? """
                ,{"mimeType":"video/VP9","payloadType":102,"clockRate":90000,"parameters":{"profile-id":0,\(more)}}
                """ : "")]}}
            """
    }

    /// The messages of a kind as they are written least and most at length: what is asked for, who asks, and the text's bytes.
    private static func messages(
        _ kind: Kind, _ dialect: any SignalingDialect, _ world: World
    ) throws -> [(request: SignalingRequest, bytes: Int)] {
        var data: [String]
        switch kind {
        case .getRouterRtpCapabilities, .applyNetworkThrottle: data = ["{}"]
        case .produceData:
            let long = String(repeating: "\\u0001", count: 512)
            data = [
                #"{"transportId":"\#(world.transport)","sctpStreamParameters":{"streamId":1}}"#,
                #"{"transportId":"\#(world.transport)","sctpStreamParameters":{"streamId":2},"label":"\#(long)","protocol":"\#(long)","appData":{"a":"\#(long)"}}"#,
            ]
        case .closeDataProducer, .pauseDataProducer, .resumeDataProducer, .getDataProducerStats:
            data = [#"{"dataProducerId":"\#(world.dataProducer)"}"#]
        case .closeDataConsumer, .pauseDataConsumer, .resumeDataConsumer, .getDataConsumerStats:
            data = [#"{"dataConsumerId":"\#(world.dataConsumer)"}"#]
        case .consumeData:
            data = [#"{"transportId":"\#(world.transport)","dataProducerId":"\#(world.dataProducer)"}"#]
        case .setDataConsumerSubchannels:
            data = [#"{"dataConsumerId":"\#(world.dataConsumer)","subchannels":[1]}"#]
        case .setBufferedAmountLowThreshold:
            data = [#"{"dataConsumerId":"\#(world.dataConsumer)","threshold":1}"#]
        case .sendDataMessage:
            data = [
                #"{"label":"chat","message":"x"}"#,
                #"{"label":"chat","message":"\#(String(repeating: "\\u0001", count: 10_000))"}"#,
            ]
        case .resetNetworkThrottle: data = ["{}"]
        case .join:
            data = [
                #"{"displayName":"x"}"#,
                #"{"displayName":"\#(String(repeating: "\\u0001", count: 256))","device":{"name":"\#(String(repeating: "\\u0001", count: 256))"}}"#,
            ]
        case .createWebRtcTransport:
            data = [#"{"producing":true,"consuming":true,"appData":{"direction":"producer"}}"#]
        case .connectWebRtcTransport:
            let value = Array(repeating: "AB", count: 32).joined(separator: ":")
            data = [
                #"{"transportId":"\#(world.transport)","dtlsParameters":{"fingerprints":[{"algorithm":"sha-256","value":"\#(value)"}]}}"#
            ]
        case .restartIce, .getTransportStats: data = [#"{"transportId":"\#(world.transport)"}"#]
        case .produce:
            data = [
                produce(world.transport, ssrc: 2222, isLarge: false),
                produce(world.transport, ssrc: 3333, isLarge: true),
            ]
        case .closeProducer, .pauseProducer, .resumeProducer, .getProducerStats:
            data = [#"{"producerId":"\#(world.producer)"}"#]
        case .pauseConsumer, .resumeConsumer, .closeConsumer, .requestConsumerKeyFrame, .getConsumerStats:
            data = [#"{"consumerId":"\#(world.consumer)"}"#]
        case .setConsumerPreferredLayers: data = [#"{"consumerId":"\#(world.consumer)","spatialLayer":0}"#]
        case .setConsumerPriority: data = [#"{"consumerId":"\#(world.consumer)","priority":1}"#]
        case .switchProducer: data = [#"{"consumerId":"\#(world.consumer)","producerId":"\#(world.producer)"}"#]
        case .changeDisplayName:
            data = [
                #"{"displayName":"x"}"#, #"{"displayName":"\#(String(repeating: "\\u0001", count: 256))"}"#,
                #"{"displayName":"y"}"#,
            ]
        // By HTTP and by Socket.IO's events, whose bodies may be as short as what is asked for.
        case .createPlainTransport: return [(.createPlainTransport(CreatePlainTransportRequest(comedia: true)), 2)]
        case .connectPlainTransport:
            return [
                (
                    .connectPlainTransport(
                        .init(transportID: world.plain, ip: "192.0.2.1", port: 5000, rtcpPort: 5001)), 40
                )
            ]
        case .consume:
            return [
                (
                    .consume(
                        ConsumeRequest(
                            transportID: world.transport, producerID: world.others,
                            rtpCapabilities: world.rooms.routerCapabilities)),
                    world.rooms.routerCapabilities.json.serialized.count
                )
            ]
        case .getProducers: return [(.getProducers, 18)]
        case .getPeers: return [(.getPeers, 19)]
        }
        return data.compactMap { data in
            let is2026 = (dialect as? ProtooDialect)?.vocabulary is Protoo2026
            let method = kind == .resetNetworkThrottle && is2026 ? "stopNetworkThrottle" : kind.rawValue
            let text = #"{"request":true,"id":1,"method":"\#(method)","data":\#(data)}"#
            switch dialect.decode(text) {
            case .request(_, .room(let request), _), .request(_, .roomIn(_, let request), _):
                return (request, text.utf8.count)
            case let other:
                Issue.record("\(text.prefix(200)): \(other)")
                return nil
            }
        }
    }

    @Test
    func `others are sent at most twice a message's bytes and four kilobytes, its sender an answer of bounded size`()
        async throws
    {
        var measured = 0
        for (name, dialect) in zip(["protoo 2024", "protoo 2026"], Self.dialects) {
            for kind in Kind.allCases {
                let world = try await Self.world(dialect: dialect)
                for (request, bytes) in try Self.messages(kind, dialect, world) {
                    #expect(Kind(request) == kind)
                    let before = world.observers.map(\.received)
                    let isNewcomers = kind == .join || kind == .createPlainTransport || kind == .connectPlainTransport
                    let session = isNewcomers ? world.newcomer : world.sender
                    let result: Result<JSONValue, RoomError>
                    do throws(RoomError) {
                        result = .success(dialect.data(of: try await world.room.request(request, from: session)))
                    } catch {
                        result = .failure(error)
                        // Those that no room has, and a second `join`.
                        let refused: [Kind] = [
                            .applyNetworkThrottle, .resetNetworkThrottle, .join, .switchProducer,
                            .setConsumerPreferredLayers,
                        ]
                        #expect(refused.contains(kind), "\(name) \(kind): \(error)")
                    }
                    let bound = 2 * bytes + 4096 + (kind.endsObjects ? 256 : 0)
                    for (observer, was) in zip(world.observers, before) {
                        let sent = observer.received - was
                        #expect(sent <= bound, "\(name) \(kind) of \(bytes) bytes: \(sent) to \(observer.name)")
                        if kind == .produce { #expect(sent > 0) }
                        measured += 1
                    }
                    let answer = dialect.encode(
                        .response(result, to: SignalID(json: .integer(1))), number: .max
                    ).utf8.count
                    let room = kind.listsRoom ? 4096 * (world.observers.count + 2) : 0
                    #expect(answer <= 2 * bytes + 24_576 + room, "\(name) \(kind) of \(bytes) bytes: \(answer)")
                }
                await world.rooms.close(.shutdown)
            }
        }
        print("\(measured) measurements")
        #expect(measured > 200)
    }

    /// Offers, and what the longest name adds to them.
    @Test(arguments: OfferFile.allCases) func `an offer by HTTP makes others be sent no more than a request does`(
        file: OfferFile
    ) async throws {
        let world = try await Self.world(dialect: Self.dialects[0])
        let (offer, bytes) = (try file.offer, try file.bytes.count)
        let negotiator = SDPNegotiator(
            rooms: world.rooms, sessions: SDPSessionTable(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let before = world.observers.map(\.received)
        let isWatching = file.rawValue.hasSuffix("watch")
        let room = Self.room.rawValue
        let made =
            if isWatching {
                try await negotiator.watch(offer, room: room, lease: HoldingLease {}, publisher: nil)
            } else {
                try await negotiator.publish(
                    offer, room: room, lease: HoldingLease {}, peerID: nil, displayName: Self.longName)
            }
        let publications = offer.media.count { $0.kind != nil }
        for (observer, was) in zip(world.observers, before) {
            // A newcomer, and each of its tracks.
            let bound = isWatching ? 0 : 2 * bytes + 4096 * (1 + publications)
            #expect(observer.received - was <= bound, "\(observer.name): \(observer.received - was) for \(bytes)")
        }
        #expect(made.answer.text.utf8.count <= 2 * bytes + 24_576)
        let joined = world.observers.map(\.received)
        await made.session.membership.leave()
        for (observer, was) in zip(world.observers, joined) {
            #expect(observer.received - was <= 512 * (1 + publications), "\(observer.name) is notified of its end")
        }
        await world.rooms.close(.shutdown)
    }

    @Test func `every event of Socket.IO asks a room for one of these, or is one of the session's own`() throws {
        let fields = """
            {"room_id":"r","name":"n","password":"","transport_id":"t","producer_id":"p","consumer_id":"c",\
            "consumerTransportId":"t","producerId":"p","rtpCapabilities":{"codecs":[]},"dtlsParameters":{"fingerprints":\
            [{"algorithm":"sha-256","value":"\(Array(repeating: "AB", count: 32).joined(separator: ":"))"}]},\
            "producerTransportId":"t","kind":"audio","rtpParameters":{"codecs":[],"encodings":[]}}
            """
        for name in SocketIOEvent.names {
            switch try #require(try SocketIOEvent(name, try JSONValue(parsing: fields))) {
            case .room(let request): _ = Kind(request)
            // Others are sent what `join` sends, or that somebody has left; the answers list the room.
            case .join, .exitRoom, .getMyRoomInfo, .getProducers: break
            case .createRoom, .resume: break
            }
        }
    }

    @Test func `a client that comes back to Socket IO gets each answer once, and no more than are kept`() {
        let kept = SignalingLink.Settings().recordedReplies
        let same = JSONValue.array(Array(repeating: .integer(3), count: 40_000))
        // More than that many are not looked at, whatever they are.
        #expect(SocketIOServer.identifiers(same) == [3])
        #expect(SocketIOServer.identifiers(.array((0..<40_000).map { .integer($0) })).count == kept)
        #expect(SocketIOServer.identifiers(.string("3")).isEmpty)
    }

    @Test func `that somebody has left is said in few bytes by every dialect`() throws {
        let id = PeerID(String(repeating: "👤", count: 64))
        for dialect in Self.dialects {
            let text = dialect.encode(.notification(.peerClosed(id, .left)), number: .max)
            #expect(text.utf8.count <= 512)
        }
        let event = SocketIOReply.event(for: .peerClosed(id, .left), in: Self.room)
        #expect(try #require(event).numbered(.max).text.utf8.count <= 512)
    }

    @Test func `an answer's bytes beyond twice its request's are charged to whoever asked`() {
        var limits = GatewayLimits()
        limits.messageBytes = 1024
        limits.messagesPerSecond = 1
        let rates = SignalingAllowance.Rates(messagesPerSecond: 1, messageBytes: 1024)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var allowance = SignalingAllowance(rates, now: start)
        // Answers of twice the size are free.
        for _ in 0..<1000 { allowance.answered(bytes: 2000, to: 1000, now: start) }
        #expect(allowance.messageReceived(bytes: 100, now: start).delay == .zero)
        // A large one is waited for as if the client had sent as much.
        allowance.answered(bytes: 10 * rates.bytes.perSecond + 200, to: 100, now: start)
        let delay = allowance.messageReceived(bytes: 100, now: start).delay
        #expect(delay > .zero && delay < .seconds(2))
    }
}
