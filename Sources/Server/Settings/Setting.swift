/// Everything that can be set, by one name: a key of the configuration file, `--name` as an option, `ROUNDHOUSE_NAME` in the
/// environment.
enum Setting: String, CaseIterable {
    case host
    case port
    case mediaPort = "media-port"
    case mediaPortShared = "media-port-shared"
    case mediaTcpPort = "media-tcp-port"
    case mediaListen = "media-listen"
    case mediaBufferKilobytes = "media-buffer-kilobytes"
    case turn
    case turnPort = "turn-port"
    case turnSecret = "turn-secret"
    case turnHost = "turn-host"
    case plainPorts = "plain-ports"
    case plainDestinations = "plain-destinations"
    case announcedAddress = "announced-address"
    case shards
    case tls
    case tlsCertificate = "tls-certificate"
    case tlsPrivateKey = "tls-private-key"
    case http
    case dtlsCertificate = "dtls-certificate"
    case dtlsPrivateKey = "dtls-private-key"
    case dtlsLegacy = "dtls-legacy"
    case adminToken = "admin-token"
    case metricsToken = "metrics-token"
    case authKey = "auth-key"
    case authKeyFile = "auth-key-file"
    case authIssuer = "auth-issuer"
    case authAudience = "auth-audience"
    case authExpiry = "auth-expiry"
    case revokedTokens = "revoked-tokens"
    case allowedOrigin = "allowed-origin"
    case trustedProxy = "trusted-proxy"
    case unlimitedAddress = "unlimited-address"
    case maxConnections = "max-connections"
    case maxConnectionsPerAddress = "max-connections-per-address"
    case maxMegabytesPerAddress = "max-megabytes-per-address"
    case maxRequestsPerSecond = "max-requests-per-second"
    case maxMessagesPerSecond = "max-messages-per-second"
    case maxMessageSize = "max-message-size"
    case maxRooms = "max-rooms"
    case maxPeersPerRoom = "max-peers-per-room"
    case maxTransportsPerPeer = "max-transports-per-peer"
    case maxProducersPerPeer = "max-producers-per-peer"
    case maxConsumersPerPeer = "max-consumers-per-peer"
    case maxDataProducersPerPeer = "max-data-producers-per-peer"
    case maxDataConsumersPerPeer = "max-data-consumers-per-peer"
    case maxDataMessageSize = "max-data-message-size"
    case maxDataBufferSize = "max-data-buffer-size"
    case maxDataMessagesPerSecond = "max-data-messages-per-second"
    case maxMegabitsPerProducer = "max-megabits-per-producer"
    case maxMegabitsPerTransport = "max-megabits-per-transport"
    case bandwidth = "bandwidth"
    case initialOutgoingKilobits = "initial-outgoing-kilobits"
    case maxOutgoingKilobits = "max-outgoing-kilobits"
    case maxIncomingKilobits = "max-incoming-kilobits"
    case drainSeconds = "drain-seconds"
    case webhook
    case webhookSecret = "webhook-secret"
    case webhookEvents = "webhook-events"
    case logLevel = "log-level"
    case logFormat = "log-format"

    /// What a value may be.
    enum Kind {
        case text
        case number(ClosedRange<Int>)
        case choice([String])
        /// Several texts.
        case list
    }

    var kind: Kind {
        switch self {
        case .host, .tlsCertificate, .tlsPrivateKey, .dtlsCertificate, .dtlsPrivateKey, .authKeyFile,
            .adminToken, .metricsToken, .mediaTcpPort, .plainPorts, .revokedTokens, .webhookSecret, .turnPort,
            .turnHost:
            .text
        case .mediaListen, .turnSecret, .plainDestinations, .announcedAddress, .authKey, .authIssuer, .authAudience,
            .allowedOrigin,
            .trustedProxy,
            .unlimitedAddress, .webhook, .webhookEvents:
            .list
        case .port, .mediaPort: .number(0...65_535)
        case .shards: .number(1...64)
        case .mediaPortShared: .choice(["no", "yes"])
        case .mediaBufferKilobytes: .number(64...1_000_000)
        case .tls: .choice(["self-signed"])
        case .turn: .choice(["on", "off"])
        case .http: .choice(["redirect", "refuse", "allow"])
        case .dtlsLegacy: .choice(["refuse", "allow"])
        case .bandwidth: .choice(["ignore", "estimate"])
        case .authExpiry: .choice(["optional", "required"])
        case .maxConnections, .maxConnectionsPerAddress, .maxRequestsPerSecond, .maxMessagesPerSecond, .maxRooms,
            .maxPeersPerRoom, .maxDataMessagesPerSecond:
            .number(1...1_000_000)
        case .maxDataMessageSize: .number(1024...262_144)
        case .maxDataBufferSize: .number(16_384...100_000_000)
        case .maxMessageSize: .number(1024...16_777_216)
        case .maxMegabytesPerAddress: .number(1...1_000_000)
        case .maxTransportsPerPeer: .number(1...1000)
        case .maxProducersPerPeer, .maxDataProducersPerPeer: .number(1...10_000)
        case .maxDataConsumersPerPeer: .number(1...65_535)
        case .maxConsumersPerPeer, .maxMegabitsPerProducer, .maxMegabitsPerTransport: .number(1...100_000)
        case .initialOutgoingKilobits, .maxOutgoingKilobits, .maxIncomingKilobits: .number(30...1_000_000)
        case .drainSeconds: .number(0...3600)
        case .logFormat: .choice(["text", "json"])
        case .logLevel: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"])
        }
    }

    /// Whether its value is nobody's business. A webhook's path may be its receiver's secret.
    var isSecret: Bool { isCredential || self == .webhook }

    /// Whether it opens something.
    var isCredential: Bool {
        self == .authKey || self == .adminToken || self == .metricsToken || self == .webhookSecret
            || self == .turnSecret
    }

    /// Whether a running server takes a new value at SIGHUP.
    var isReloadable: Bool {
        switch self {
        case .host, .port, .mediaPort, .mediaBufferKilobytes, .mediaPortShared, .mediaTcpPort, .mediaListen, .turn,
            .turnPort, .plainPorts,
            .plainDestinations,
            .announcedAddress, .shards,
            .dtlsCertificate, .dtlsPrivateKey, .dtlsLegacy, .maxMegabitsPerProducer, .maxMegabitsPerTransport,
            .bandwidth, .initialOutgoingKilobits, .maxOutgoingKilobits, .maxIncomingKilobits,
            .webhook, .webhookSecret, .webhookEvents:
            false
        case .tls, .tlsCertificate, .tlsPrivateKey, .turnSecret, .turnHost, .http, .adminToken, .metricsToken,
            .logLevel, .logFormat, .authKey,
            .authKeyFile,
            .authIssuer,
            .authAudience, .authExpiry, .revokedTokens, .allowedOrigin,
            .trustedProxy, .unlimitedAddress, .maxConnections,
            .maxConnectionsPerAddress, .maxMegabytesPerAddress, .maxRequestsPerSecond, .maxMessagesPerSecond,
            .maxMessageSize, .maxRooms, .maxPeersPerRoom, .maxTransportsPerPeer, .maxProducersPerPeer,
            .maxDataProducersPerPeer, .maxDataConsumersPerPeer, .maxDataMessageSize, .maxDataBufferSize,
            .maxDataMessagesPerSecond, .maxConsumersPerPeer, .drainSeconds:
            true
        }
    }

    var option: String { "--\(rawValue)" }
    var variable: String { Self.variablePrefix + rawValue.uppercased().replacing("-", with: "_") }

    static let variablePrefix = "ROUNDHOUSE_"
}
