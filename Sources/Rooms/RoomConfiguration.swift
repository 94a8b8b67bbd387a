public import RoundhouseMedia

/// What every room of a registry starts with.
public struct RoomConfiguration: Sendable {
    /// The codecs of the router, in order of preference; see `ORTC.supportedCodecs` for what is possible.
    public var mediaCodecs: [RTPCodecCapability]
    /// How long a transport stays without a valid connectivity check before its peer leaves (RFC 7675).
    public var iceConsentTimeout: MediaDuration
    /// What a client's network is taken to carry until it has been measured, and what bounds the estimate then; `nil`: nobody
    /// asks what it carries.
    public var outgoingLimits: BitrateLimits?
    /// What a client is asked to send at most, in bits per second; `nil`: as much as its network carries.
    public var maximumIncomingBitrate: UInt64?
    /// Key frame requests to a producer within this time are merged.
    public var keyFrameRequestDelay: MediaDuration
    /// Open rooms of the registry.
    public var maximumRooms: Int
    /// Joined and not yet joined peers of one room.
    public var maximumPeers: Int
    /// Transports of one peer.
    public var maximumTransportsPerPeer: Int
    /// Producers of one peer.
    public var maximumProducersPerPeer: Int
    /// Consumers of one peer that makes them itself.
    public var maximumConsumersPerPeer: Int
    /// Data producers of one peer.
    public var maximumDataProducersPerPeer: Int
    /// Data consumers of one peer.
    public var maximumDataConsumersPerPeer: Int
    /// What one data channel may carry.
    public var dataLimits: DataLimits
    /// Whether a client's certificate may be known by its SHA-1 alone.
    public var acceptsSHA1Fingerprints: Bool
    /// How long statistics and snapshots wait for the media threads.
    public var statisticsTimeout: Duration
    /// What `mediasoup-version` says to clients.
    public var announcedVersion: String

    /// The defaults: the codecs browsers have, 30 s of consent (RFC 7675 §5.1), 64 producers a peer.
    public init(
        mediaCodecs: [RTPCodecCapability] = RoomConfiguration.defaultMediaCodecs,
        iceConsentTimeout: MediaDuration = .seconds(30), outgoingLimits: BitrateLimits? = nil,
        maximumIncomingBitrate: UInt64? = nil,
        keyFrameRequestDelay: MediaDuration = .zero,
        maximumRooms: Int = 10_000, maximumPeers: Int = 1000,
        maximumTransportsPerPeer: Int = 8, maximumProducersPerPeer: Int = 64,
        maximumConsumersPerPeer: Int = 4096, maximumDataProducersPerPeer: Int = 64,
        maximumDataConsumersPerPeer: Int = 4096, dataLimits: DataLimits = DataLimits(),
        acceptsSHA1Fingerprints: Bool = false,
        statisticsTimeout: Duration = .seconds(1), announcedVersion: String = "3.26.0"
    ) {
        self.mediaCodecs = mediaCodecs
        self.iceConsentTimeout = iceConsentTimeout
        self.outgoingLimits = outgoingLimits
        self.maximumIncomingBitrate = maximumIncomingBitrate
        self.keyFrameRequestDelay = keyFrameRequestDelay
        self.maximumRooms = maximumRooms
        self.maximumPeers = maximumPeers
        self.maximumTransportsPerPeer = maximumTransportsPerPeer
        self.maximumProducersPerPeer = maximumProducersPerPeer
        self.maximumConsumersPerPeer = maximumConsumersPerPeer
        self.maximumDataProducersPerPeer = maximumDataProducersPerPeer
        self.maximumDataConsumersPerPeer = maximumDataConsumersPerPeer
        self.dataLimits = dataLimits
        self.acceptsSHA1Fingerprints = acceptsSHA1Fingerprints
        self.statisticsTimeout = statisticsTimeout
        self.announcedVersion = announcedVersion
    }

    /// opus, PCMU, PCMA, VP8, VP9 profile 0, AV1, and H.264 in the profiles that browsers decode, in both packetization modes.
    ///
    /// What every browser takes stands first: if a client offers several profiles it is asked for the first of these.
    public static let defaultMediaCodecs: [RTPCodecCapability] =
        [
            RTPCodecCapability(kind: .audio, mimeType: "audio/opus", clockRate: 48000, channels: 2),
            RTPCodecCapability(kind: .audio, mimeType: "audio/PCMU", clockRate: 8000),
            RTPCodecCapability(kind: .audio, mimeType: "audio/PCMA", clockRate: 8000),
            RTPCodecCapability(kind: .video, mimeType: "video/VP8", clockRate: 90000),
            RTPCodecCapability(
                kind: .video, mimeType: "video/VP9", clockRate: 90000, parameters: ["profile-id": .integer(0)]),
            h264("42e01f", packetizationMode: 1), h264("4d0032", packetizationMode: 1),
            RTPCodecCapability(kind: .video, mimeType: "video/AV1", clockRate: 90000),
            h264("42e01f", packetizationMode: 0), h264("4d0032", packetizationMode: 0),
        ]
        // Baseline, and what hardware and x264 make by default: high and constrained high.
        + ["42001f", "640032", "640c32"].flatMap { profile in
            [h264(profile, packetizationMode: 1), h264(profile, packetizationMode: 0)]
        }

    private static func h264(_ profileLevelID: String, packetizationMode: Int) -> RTPCodecCapability {
        RTPCodecCapability(
            kind: .video, mimeType: "video/H264", clockRate: 90000,
            parameters: [
                "packetization-mode": .integer(packetizationMode), "profile-level-id": .string(profileLevelID),
                "level-asymmetry-allowed": .integer(1),
            ])
    }
}
