import Logging
import Synchronization
import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// SplitMix64: the same seed gives the same identifiers.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The media plane's end of a recording handle.
final class RecordingPlane: Sendable {
    struct State {
        var commands: [MediaCommand] = []
        var isFull = false
        /// Refuses opening of consumers only.
        var refusesConsumers = false
        var answersStatistics = true
    }

    let state = Mutex(State())

    func handle(shards: Int = 1, plainDestinations: [String]) -> MediaHandle {
        .recording(shards: shards, plainDestinations: plainDestinations) { [self] _, command in accept(command) }
    }

    private func accept(_ command: MediaCommand) -> Bool {
        let (isAccepted, answers) = state.withLock { state -> (Bool, Bool) in
            let isAccepted: Bool
            switch command {
            // The plane keeps a reserve for closing commands.
            case .closeTransport, .closeProducer, .closeConsumer, .closeDataProducer, .closeDataConsumer:
                isAccepted = true
            case .openConsumer, .openDataConsumer: isAccepted = !state.isFull && !state.refusesConsumers
            default: isAccepted = !state.isFull
            }
            if isAccepted { state.commands.append(command) }
            return (isAccepted, state.answersStatistics)
        }
        if case .collectStatistics(let token, let keys, _, let queue) = command, isAccepted, answers {
            queue.append(.statistics(token: token, keys.map { Self.statistics($0) }))
        }
        return isAccepted
    }

    private static func statistics(_ key: TransportKey) -> TransportStatistics {
        var statistics = TransportStatistics(key: key)
        statistics.bytes.received = 1000 + (key.rawValue & 0xFFFF)
        statistics.iceState = .completed
        return statistics
    }

    var commands: [MediaCommand] { state.withLock { $0.commands } }

    /// The commands' names, in order.
    var names: [String] { commands.map { String("\($0)".prefix { $0 != "(" }) } }

    func forget() { state.withLock { $0.commands = [] } }
    func setRefusesConsumers(_ refuses: Bool) { state.withLock { $0.refusesConsumers = refuses } }
    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

    /// The transports that were opened, with their room's queue.
    var transports: [(key: TransportKey, queue: EventQueue)] {
        commands.compactMap { if case .openTransport(let key, _, let queue) = $0 { (key, queue) } else { nil } }
    }
}

/// A client that notes what it is sent, and accepts consumers when asked to.
final class RecordingClient: PeerChannel {
    struct State {
        var log: [String] = []
        var notifications: [ServerNotification] = []
        var offers: [(request: NewConsumerRequest, completion: @Sendable (ServerRequestOutcome) -> Void)] = []
        var dataOffers: [(request: NewDataConsumerRequest, completion: @Sendable (ServerRequestOutcome) -> Void)] = []
        var closed: PeerCloseReason?
    }

    let state = Mutex(State())

    func notify(_ notification: ServerNotification) {
        state.withLock { state in
            state.log.append(notification.method)
            state.notifications.append(notification)
        }
    }

    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        state.withLock { state in
            state.log.append(request.method)
            switch request {
            case .newConsumer(let offer): state.offers.append((offer, completion))
            case .newDataConsumer(let offer): state.dataOffers.append((offer, completion))
            }
        }
    }

    func close(_ reason: PeerCloseReason) {
        state.withLock { state in
            #expect(state.closed == nil, "closed twice")
            state.closed = reason
            state.log.append("close")
            state.offers = []
            state.dataOffers = []
        }
    }

    var log: [String] { state.withLock { $0.log } }
    var closed: PeerCloseReason? { state.withLock { $0.closed } }
    var dataOffers: [NewDataConsumerRequest] { state.withLock { $0.dataOffers.map(\.request) } }
    var offers: [NewConsumerRequest] { state.withLock { $0.offers.map(\.request) } }
    var notifications: [ServerNotification] { state.withLock { $0.notifications } }
    func forget() {
        state.withLock {
            $0.log = []; $0.notifications = []
        }
    }

    /// Answers every offer so far.
    func answer(_ outcome: ServerRequestOutcome) {
        let (offers, dataOffers) = state.withLock { state in
            defer { (state.offers, state.dataOffers) = ([], []) }
            return (state.offers, state.dataOffers)
        }
        for offer in offers { offer.completion(outcome) }
        for offer in dataOffers { offer.completion(outcome) }
    }
}

/// Parses JSON written in a test.
func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

/// What a browser-like client receives: opus, VP8, H.264 and RTX, with the router's extension numbers.
let receiverCapabilities = RTPCapabilities(
    codecs: [
        RTPCodecCapability(
            kind: .audio, mimeType: "audio/opus", preferredPayloadType: 100, clockRate: 48000, channels: 2,
            rtcpFeedback: [RTCPFeedback(type: "transport-cc")]),
        RTPCodecCapability(
            kind: .video, mimeType: "video/VP8", preferredPayloadType: 101, clockRate: 90000,
            rtcpFeedback: [
                RTCPFeedback(type: "nack"), RTCPFeedback(type: "nack", parameter: "pli"),
                RTCPFeedback(type: "transport-cc"), RTCPFeedback(type: "goog-remb"),
            ]),
        RTPCodecCapability(
            kind: .video, mimeType: "video/rtx", preferredPayloadType: 102, clockRate: 90000,
            parameters: ["apt": .integer(101)]),
    ], headerExtensions: ORTC.supportedHeaderExtensions)

func audioParameters(ssrc: UInt32 = 1111, mid: String = "0") -> RTPParameters {
    RTPParameters(
        mid: mid,
        codecs: [
            RTPCodecParameters(
                mimeType: "audio/opus", payloadType: 111, clockRate: 48000, channels: 2,
                parameters: ["useinbandfec": .integer(1)], rtcpFeedback: [RTCPFeedback(type: "transport-cc")])
        ],
        headerExtensions: [RTPHeaderExtensionParameters(uri: HeaderExtension.mid.uri, id: 4)],
        encodings: [RTPEncodingParameters(ssrc: ssrc)], rtcp: RTCPParameters(cname: "alice-cname"))
}

func simulcastParameters(mid: String = "1") -> RTPParameters {
    RTPParameters(
        mid: mid,
        codecs: [
            RTPCodecParameters(
                mimeType: "video/VP8", payloadType: 96, clockRate: 90000,
                rtcpFeedback: [RTCPFeedback(type: "nack"), RTCPFeedback(type: "nack", parameter: "pli")]),
            RTPCodecParameters(
                mimeType: "video/rtx", payloadType: 97, clockRate: 90000, parameters: ["apt": .integer(96)]),
        ],
        headerExtensions: [
            RTPHeaderExtensionParameters(uri: HeaderExtension.mid.uri, id: 4),
            RTPHeaderExtensionParameters(uri: HeaderExtension.rid.uri, id: 10),
            RTPHeaderExtensionParameters(uri: HeaderExtension.transportWideSequence.uri, id: 3),
        ],
        encodings: ["r0", "r1", "r2"].map {
            RTPEncodingParameters(rid: $0, scalabilityMode: "L1T3", maxBitrate: $0 == "r2" ? 900_000 : 100_000)
        })
}

let clientFingerprint = DTLSFingerprint(algorithm: .sha512, value: [UInt8](repeating: 7, count: 64))

/// A registry over a recording plane.
struct RoomFixture {
    let plane = RecordingPlane()
    let registry: RoomRegistry

    init(
        shards: Int = 1, configuration: RoomConfiguration = RoomConfiguration(),
        plainDestinations: [String] = ["0.0.0.0/0", "::/0"]
    ) throws {
        registry = try RoomRegistry(
            media: plane.handle(shards: shards, plainDestinations: plainDestinations), configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { SeededGenerator(seed: 1) }
    }

    /// A connected peer of the fixture.
    func connect(_ name: String, to room: String = "room") async throws -> ConnectedPeer {
        let client = RecordingClient()
        let (room, session) = try await registry.connect(PeerID(name), to: RoomID(room), through: client)
        return ConnectedPeer(room: room, session: session, client: client)
    }

    /// A peer with a transport each way that has joined.
    func join(
        _ name: String, to room: String = "room", change: (inout JoinRequest) -> Void = { _ in }
    ) async throws -> ConnectedPeer {
        let peer = try await connect(name, to: room)
        try await peer.makeTransports()
        var request = JoinRequest(displayName: name.uppercased(), rtpCapabilities: receiverCapabilities)
        change(&request)
        _ = try await peer.request(.join(request))
        return peer
    }
}

/// A peer of a test.
final class ConnectedPeer: Sendable {
    let room: Room
    let session: PeerSession
    let client: RecordingClient
    private let transportIDs = Mutex<[TransportID]>([])

    init(room: Room, session: PeerSession, client: RecordingClient) {
        self.room = room
        self.session = session
        self.client = client
    }

    var sending: TransportID { transportIDs.withLock { $0[0] } }
    var receiving: TransportID { transportIDs.withLock { $0[1] } }
    var last: TransportID { transportIDs.withLock { $0[$0.count - 1] } }

    @discardableResult
    func request(_ request: SignalingRequest) async throws -> SignalingResponse {
        try await room.request(request, from: session)
    }

    func makeTransport(
        producing: Bool, consuming: Bool, dataChannels: DataChannelsRequest? = nil
    ) async throws -> WebRtcTransportDescription {
        let response = try await request(
            .createWebRtcTransport(.init(producing: producing, consuming: consuming, dataChannels: dataChannels)))
        guard case .webRtcTransport(let description) = response else { throw RoomError(.internalError, "\(response)") }
        transportIDs.withLock { $0.append(description.id) }
        return description
    }

    func makeTransports() async throws {
        _ = try await makeTransport(producing: true, consuming: false)
        _ = try await makeTransport(producing: false, consuming: true)
    }

    func produceData(
        _ label: String, on transport: TransportID, _ parameters: SCTPStreamParameters = .init(streamID: 0)
    ) async throws -> DataProducerID {
        let response = try await request(
            .produceData(ProduceDataRequest(transportID: transport, streamParameters: parameters, label: label)))
        guard case .dataProducer(let id) = response else { throw RoomError(.internalError, "\(response)") }
        return id
    }

    func produce(_ kind: MediaKind, _ parameters: RTPParameters) async throws -> ProducerID {
        let response = try await request(
            .produce(ProduceRequest(transportID: sending, kind: kind, rtpParameters: parameters)))
        guard case .producer(let id) = response else { throw RoomError(.internalError, "\(response)") }
        return id
    }

    /// Answers the offered consumers and waits until the room has taken the answers.
    func answer(_ outcome: ServerRequestOutcome) async {
        client.answer(outcome)
        await room.drain()
    }
}

/// Checks that an async body throws a `RoomError` of a code.
func expectRefusal(
    _ code: RoomError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async {
    do {
        _ = try await body()
        Issue.record("not refused", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? RoomError)?.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}
