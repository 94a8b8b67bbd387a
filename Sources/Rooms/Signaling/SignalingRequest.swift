public import Media

/// What a client asks of its room, whatever the dialect it spoke.
public enum SignalingRequest: Sendable {
    case getRouterRtpCapabilities
    case join(JoinRequest)
    case createWebRtcTransport(CreateWebRtcTransportRequest)
    case connectWebRtcTransport(ConnectWebRtcTransportRequest)
    case createPlainTransport(CreatePlainTransportRequest)
    case connectPlainTransport(ConnectPlainTransportRequest)
    case restartIce(TransportID)
    case produce(ProduceRequest)
    case closeProducer(ProducerID)
    case pauseProducer(ProducerID)
    case resumeProducer(ProducerID)
    case pauseConsumer(ConsumerID)
    case resumeConsumer(ConsumerID)
    case closeConsumer(ConsumerID)
    /// Makes a consumer now; for peers that joined with `consumesOnRequest`, or have not joined and are seen by nobody.
    case consume(ConsumeRequest)
    /// Every producer of the room, the peer's own ones included.
    case getProducers
    /// Every joined peer of the room, the asking one included.
    case getPeers
    case setConsumerPreferredLayers(SetConsumerPreferredLayersRequest)
    case setConsumerPriority(SetConsumerPriorityRequest)
    case requestConsumerKeyFrame(ConsumerID)
    /// Points a consumer at another producer without negotiation; answered with the consumer as it is then.
    case switchProducer(SwitchProducerRequest)
    case produceData
    case changeDisplayName(String)
    case getTransportStats(TransportID)
    case getProducerStats(ProducerID)
    case getConsumerStats(ConsumerID)
    case getDataProducerStats
    case getDataConsumerStats
    case applyNetworkThrottle
    case resetNetworkThrottle
}

/// The program a client runs, as it describes itself.
public struct DeviceDescription: Sendable, Hashable {
    /// `chrome`, `firefox`, `broadcaster`, …
    public var flag: String?
    /// For people.
    public var name: String?
    /// For people.
    public var version: String?

    /// A description.
    public init(flag: String? = nil, name: String? = nil, version: String? = nil) {
        self.flag = flag
        self.name = name
        self.version = version
    }
}

/// `join`: from here on the peer is seen by others.
public struct JoinRequest: Sendable, Hashable {
    /// For people; at most 256 bytes.
    public var displayName: String
    /// The client's program.
    public var device: DeviceDescription
    /// What the client can receive; without them it gets no consumers.
    public var rtpCapabilities: RTPCapabilities?
    /// The client hears of producers (`newProducers`) and asks for its consumers itself (`consume`); it is offered none.
    public var consumesOnRequest: Bool
    /// When the client closes a transport's DTLS, only what is on this transport ends; else the peer leaves.
    public var outlivesTransports: Bool

    /// A request.
    public init(
        displayName: String, device: DeviceDescription = .init(), rtpCapabilities: RTPCapabilities? = nil,
        consumesOnRequest: Bool = false, outlivesTransports: Bool = false
    ) {
        self.displayName = displayName
        self.device = device
        self.rtpCapabilities = rtpCapabilities
        self.consumesOnRequest = consumesOnRequest
        self.outlivesTransports = outlivesTransports
    }
}

/// `consume`: a consumer that flows from the start.
public struct ConsumeRequest: Sendable, Hashable {
    /// The transport the client receives on.
    public var transportID: TransportID
    /// What it wants.
    public var producerID: ProducerID
    /// What it can receive.
    public var rtpCapabilities: RTPCapabilities
    /// The client's media section; the room numbers consumers if it is absent.
    public var mid: String?
    /// Whether packets carry the capabilities' payload types and extension ids instead of the router's.
    public var usesClientIDs: Bool
    /// The layers to send at most; all if absent.
    public var preferredLayers: PreferredLayers?
    /// Whether lost packets are sent again, if the client can report what it lost.
    public var enableRTX = true
    /// Whether Opus packets of silence (DTX) are left out.
    public var ignoresDTX = false

    /// A request.
    public init(
        transportID: TransportID, producerID: ProducerID, rtpCapabilities: RTPCapabilities, mid: String? = nil,
        usesClientIDs: Bool = false
    ) {
        self.transportID = transportID
        self.producerID = producerID
        self.rtpCapabilities = rtpCapabilities
        self.mid = mid
        self.usesClientIDs = usesClientIDs
    }
}

/// `createWebRtcTransport`.
public struct CreateWebRtcTransportRequest: Sendable, Hashable {
    /// Only TCP candidates are wanted.
    public var forceTcp: Bool
    /// The client will send on it.
    public var producing: Bool
    /// The client will receive on it.
    public var consuming: Bool

    /// A request.
    public init(forceTcp: Bool = false, producing: Bool, consuming: Bool) {
        self.forceTcp = forceTcp
        self.producing = producing
        self.consuming = consuming
    }
}

/// The client's side of the DTLS handshake.
public struct RemoteDTLSParameters: Sendable, Hashable {
    /// The client's role; if it says `auto` or `server` the room's transport is the DTLS client.
    public var role: DTLSRole
    /// The fingerprints of the client's certificate; the first one is checked.
    public var fingerprints: [DTLSFingerprint]

    /// Parameters.
    public init(role: DTLSRole = .auto, fingerprints: [DTLSFingerprint]) {
        self.role = role
        self.fingerprints = fingerprints
    }
}

/// `connectWebRtcTransport`.
public struct ConnectWebRtcTransportRequest: Sendable, Hashable {
    /// Which transport.
    public var transportID: TransportID
    /// The client's side.
    public var dtlsParameters: RemoteDTLSParameters

    /// A request.
    public init(transportID: TransportID, dtlsParameters: RemoteDTLSParameters) {
        self.transportID = transportID
        self.dtlsParameters = dtlsParameters
    }
}

/// `produce`.
public struct ProduceRequest: Sendable {
    /// The transport the client sends on.
    public var transportID: TransportID
    /// Audio or video.
    public var kind: MediaKind
    /// What the client sends.
    public var rtpParameters: RTPParameters
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Anything the client wants the others to know: a JSON object.
    public var appData: JSONValue

    /// A request.
    public init(
        transportID: TransportID, kind: MediaKind, rtpParameters: RTPParameters, isPaused: Bool = false,
        appData: JSONValue = .object([:])
    ) {
        self.transportID = transportID
        self.kind = kind
        self.rtpParameters = rtpParameters
        self.isPaused = isPaused
        self.appData = appData
    }
}

/// Layers a consumer is sent at most.
public struct PreferredLayers: Sendable, Hashable {
    /// 0 is the lowest.
    public var spatialLayer: Int
    /// 0 is the lowest; the highest if absent.
    public var temporalLayer: Int?

    /// Layers.
    public init(spatialLayer: Int, temporalLayer: Int? = nil) {
        self.spatialLayer = spatialLayer
        self.temporalLayer = temporalLayer
    }
}

/// `switchProducer`.
public struct SwitchProducerRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// What it is to send from here on.
    public var producerID: ProducerID

    /// A request.
    public init(consumerID: ConsumerID, producerID: ProducerID) {
        self.consumerID = consumerID
        self.producerID = producerID
    }
}

/// `setConsumerPreferredLayers`.
public struct SetConsumerPreferredLayersRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// What it is to get at most.
    public var layers: PreferredLayers

    /// A request.
    public init(consumerID: ConsumerID, layers: PreferredLayers) {
        self.consumerID = consumerID
        self.layers = layers
    }
}

/// `setConsumerPriority`.
public struct SetConsumerPriorityRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// 1…255.
    public var priority: Int

    /// A request.
    public init(consumerID: ConsumerID, priority: Int) {
        self.consumerID = consumerID
        self.priority = priority
    }
}
