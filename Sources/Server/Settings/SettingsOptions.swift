import ArgumentParser
import RoundhouseMedia

/// The settings as options of the command line; each beats the environment, which beats the file.
struct SettingsOptions: ParsableArguments {
    @Option(help: "YAML file with settings by the names of these options. (environment: ROUNDHOUSE_CONFIG)")
    var config: String?

    @Option(help: "Address to listen on for HTTP and WebSocket. (default: 0.0.0.0)")
    var host: String?

    @Option(help: "TCP port for HTTP and WebSocket; 0 takes a free one. (default: 3016)")
    var port: String?

    @Option(
        help: """
            UDP port of the first media thread, the others take the next ones; 0 takes free ones. (default: 44444)
            """)
    var mediaPort: String?

    @Option(
        help: """
            yes or no: whether all media threads share one UDP port and one TCP port, where a firewall opens no more: what \
            comes to another thread is handed on. (default: no)
            """)
    var mediaPortShared: String?

    @Option(
        help: """
            TCP port of the first media thread, for clients that UDP does not reach (ICE-TCP); the others take the next \
            ones; 'none': media goes over UDP only. (default: same, as those of UDP)
            """)
    var mediaTcpPort: String?

    @Option(
        help: """
            What the kernel is asked to keep of each media socket's datagrams while its thread is busy. (default: 4096)
            """)
    var mediaBufferKilobytes: String?

    @Option(help: "Address to listen on for media; may be given more than once. (default: 0.0.0.0)")
    var mediaListen: [String] = []

    @Option(
        help: """
            'off': no TURN server, by which clients that reach nothing but the port of HTTPS get media. (default: on)
            """)
    var turn: String?

    @Option(help: "A port for TURN over UDP, and over TCP without TLS, too; 'none'. (default: none)")
    var turnPort: String?

    @Option(
        help: """
            What credentials of TURN are made with, so that several servers take each other's; given twice: the new one \
            first, then the one before. Other users of this machine see options: better use a file. (default: made \
            at start)
            """, transform: { Secret($0) })
    var turnSecret: [Secret] = []

    @Option(
        help: """
            Name, and port if not 443, of TURN over TLS as clients get it, where a balancer speaks TLS for this server. \
            (default: those by which they came)
            """)
    var turnHost: String?

    @Option(
        help: """
            UDP ports of plain transports (RTP without ICE, for ffmpeg and GStreamer), two each: '20000-20999', or \
            'none'. (default: none)
            """)
    var plainPorts: String?

    @Option(
        help: """
            Address or range that plain transports may send RTP to, beside that of whoever asks for one; may be given \
            more than once.
            """)
    var plainDestinations: [String] = []

    @Option(
        help: """
            Address or host name to announce to clients instead of the bound ones of its family; may be given more than \
            once.
            """)
    var announcedAddress: [String] = []

    @Option(help: "Media threads. (default: one per core)")
    var shards: String?

    @Option(help: "self-signed: HTTPS with a certificate made at start, for trying out.")
    var tls: String?

    @Option(help: "PEM file of the certificate for HTTPS, with its chain; read again when it changes.")
    var tlsCertificate: String?

    @Option(help: "PEM file of the HTTPS certificate's private key.")
    var tlsPrivateKey: String?

    @Option(
        help: """
            With a certificate, what becomes of requests without TLS from other machines: redirect, refuse or allow. \
            (default: redirect)
            """)
    var http: String?

    @Option(help: "PEM file of the DTLS certificate. (default: one made at start)")
    var dtlsCertificate: String?

    @Option(help: "PEM file of the DTLS certificate's private key.")
    var dtlsPrivateKey: String?

    @Option(
        help: """
            allow: media also by CBC suites, 32-bit SRTP tags and SHA-1 fingerprints, for clients that know nothing newer. \
            (default: refuse)
            """)
    var dtlsLegacy: String?

    @Option(
        help: "What clients of /api/v1 and of the console have to give; better in ROUNDHOUSE_ADMIN_TOKEN.",
        transform: { Secret($0) })
    var adminToken: Secret?

    @Option(
        help: "What clients of /metrics on other machines have to give; better in ROUNDHOUSE_METRICS_TOKEN.",
        transform: { Secret($0) })
    var metricsToken: Secret?

    @Option(
        help: """
            Secret that access tokens are signed with, 'secret' or 'kid:secret'; may be given more than once. Nobody \
            then enters without a token. Other users of this machine see options: better use a file.
            """, transform: { Secret($0) })
    var authKey: [Secret] = []

    @Option(help: "File with such secrets, one in a line; read again at SIGHUP.")
    var authKeyFile: String?

    @Option(help: "Issuer (iss) whose tokens are taken; may be given more than once. (default: whoever has the key)")
    var authIssuer: [String] = []

    @Option(help: "Whom tokens have to be for (aud), one of these; may be given more than once. (default: anybody)")
    var authAudience: [String] = []

    @Option(help: "required: tokens have to expire (exp). (default: optional)")
    var authExpiry: String?

    @Option(help: "File with the names (jti) of tokens that are valid no longer, one in a line; read again at SIGHUP.")
    var revokedTokens: String?

    @Option(
        help: """
            Origin whose pages may use the server, beside its own, or 'any'; may be given more than once. (default: its own)
            """)
    var allowedOrigin: [String] = []

    @Option(help: "Proxy whose X-Forwarded-For is believed, an address or range; may be given more than once.")
    var trustedProxy: [String] = []

    @Option(
        help: """
            Address or range without limits by address, or 'none'; may be given more than once. (default: this machine)
            """)
    var unlimitedAddress: [String] = []

    @Option(help: "Open TCP connections at a time. (default: 10000)")
    var maxConnections: String?

    @Option(help: "Open TCP connections of one address. (default: 1000)")
    var maxConnectionsPerAddress: String?

    @Option(help: "MiB of one address in the server's buffers. (default: 64)")
    var maxMegabytesPerAddress: String?

    @Option(help: "HTTP requests of one address in a second; ten times as many at once. (default: 200)")
    var maxRequestsPerSecond: String?

    @Option(help: "Signaling requests of one client in a second; ten times as many at once. (default: 100)")
    var maxMessagesPerSecond: String?

    @Option(help: "Bytes of one signaling message. (default: 65536)")
    var maxMessageSize: String?

    @Option(help: "Rooms. (default: 10000)")
    var maxRooms: String?

    @Option(help: "Peers in one room. (default: 1000)")
    var maxPeersPerRoom: String?

    @Option(help: "Transports of one peer. (default: 8)")
    var maxTransportsPerPeer: String?

    @Option(help: "Producers of one peer. (default: 64)")
    var maxProducersPerPeer: String?

    @Option(help: "Consumers of one peer that makes them itself. (default: 4096)")
    var maxConsumersPerPeer: String?

    @Option(help: "Data producers of one peer. (default: 64)")
    var maxDataProducersPerPeer: String?

    @Option(help: "Data consumers of one peer. (default: 4096)")
    var maxDataConsumersPerPeer: String?

    @Option(help: "Bytes of one message of a data channel. (default: 262144)")
    var maxDataMessageSize: String?

    @Option(help: "Bytes of data channels' messages that may wait for one client. (default: 2000000)")
    var maxDataBufferSize: String?

    @Option(help: "Messages a second taken of one data producer. (default: 10000)")
    var maxDataMessagesPerSecond: String?

    @Option(
        help: "Mbit/s taken of one producer; a packet counts for 625 bytes at least. (default: 100)")
    var maxMegabitsPerProducer: String?

    @Option(help: "Mbit/s taken of one transport, all its producers together. (default: 200)")
    var maxMegabitsPerTransport: String?

    @Option(
        help: """
            estimate: receivers that say what arrives are sent what their networks carry; ignore: all that they ask \
            for. (default: estimate)
            """)
    var bandwidth: String?

    @Option(help: "kbit/s that a receiver's network is taken to carry until it has been measured. (default: 600)")
    var initialOutgoingKilobits: String?

    @Option(help: "kbit/s that one receiver is sent at most, if it says what arrives. (default: none)")
    var maxOutgoingKilobits: String?

    @Option(help: "kbit/s that one sender is asked to send at most. (default: none)")
    var maxIncomingKilobits: String?

    @Option(help: "After SIGTERM, seconds that peers have to leave by themselves. (default: 2)")
    var drainSeconds: String?

    @Option(
        help: """
            URL that the events of rooms are posted to, signed with --webhook-secret; may be given more than once.
            """, transform: { Secret($0) })
    var webhook: [Secret] = []

    @Option(
        help: """
            What webhooks are signed with: whsec_ and 24 to 64 bytes in Base64; better in ROUNDHOUSE_WEBHOOK_SECRET.
            """, transform: { Secret($0) })
    var webhookSecret: Secret?

    @Option(
        help: """
            Type of event that webhooks are sent, or 'all'; may be given more than once. (default: who comes and goes and \
            what is sent)
            """)
    var webhookEvents: [String] = []

    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    @Option(help: "text or json: how the log's lines are written. (default: text)")
    var logFormat: String?

    /// What was given, by setting.
    var given: [Setting: [Secret]] {
        let texts: [Setting: String?] = [
            .host: host, .port: port, .mediaPort: mediaPort, .mediaPortShared: mediaPortShared,
            .mediaBufferKilobytes: mediaBufferKilobytes,
            .mediaTcpPort: mediaTcpPort,
            .plainPorts: plainPorts, .turn: turn, .turnPort: turnPort, .turnHost: turnHost,
            .shards: shards, .tls: tls, .tlsCertificate: tlsCertificate,
            .tlsPrivateKey: tlsPrivateKey, .http: http, .dtlsLegacy: dtlsLegacy,
            .dtlsCertificate: dtlsCertificate, .dtlsPrivateKey: dtlsPrivateKey, .authKeyFile: authKeyFile,
            .authExpiry: authExpiry, .revokedTokens: revokedTokens,
            .maxConnections: maxConnections, .maxConnectionsPerAddress: maxConnectionsPerAddress,
            .maxMegabytesPerAddress: maxMegabytesPerAddress,
            .maxRequestsPerSecond: maxRequestsPerSecond, .maxMessagesPerSecond: maxMessagesPerSecond,
            .maxMessageSize: maxMessageSize, .maxRooms: maxRooms, .maxPeersPerRoom: maxPeersPerRoom,
            .maxTransportsPerPeer: maxTransportsPerPeer, .maxProducersPerPeer: maxProducersPerPeer,
            .maxConsumersPerPeer: maxConsumersPerPeer, .maxDataProducersPerPeer: maxDataProducersPerPeer,
            .maxDataConsumersPerPeer: maxDataConsumersPerPeer, .maxDataMessageSize: maxDataMessageSize,
            .maxDataBufferSize: maxDataBufferSize, .maxDataMessagesPerSecond: maxDataMessagesPerSecond,
            .maxMegabitsPerProducer: maxMegabitsPerProducer,
            .maxMegabitsPerTransport: maxMegabitsPerTransport, .bandwidth: bandwidth,
            .initialOutgoingKilobits: initialOutgoingKilobits, .maxOutgoingKilobits: maxOutgoingKilobits,
            .maxIncomingKilobits: maxIncomingKilobits,
            .drainSeconds: drainSeconds,
            .logLevel: logLevel, .logFormat: logFormat,
        ]
        let lists: [Setting: [String]] = [
            .mediaListen: mediaListen, .plainDestinations: plainDestinations,
            .announcedAddress: announcedAddress,
            .authIssuer: authIssuer, .authAudience: authAudience, .allowedOrigin: allowedOrigin,
            .trustedProxy: trustedProxy,
            .unlimitedAddress: unlimitedAddress, .webhookEvents: webhookEvents,
        ]
        let secrets: [Setting: [Secret]] = [
            .adminToken: adminToken.map { [$0] } ?? [], .metricsToken: metricsToken.map { [$0] } ?? [],
            .authKey: authKey, .turnSecret: turnSecret, .webhook: webhook,
            .webhookSecret: webhookSecret.map { [$0] } ?? [],
        ]
        let given = texts.compactMapValues { text in text.map { [Secret($0)] } }
        return given.merging(lists.mapValues { $0.map { Secret($0) } }) { a, _ in a }.merging(secrets) { a, _ in a }
            .filter { !$0.value.isEmpty }
    }
}
