public import ArgumentParser
import FoundationEssentials
import Gateway
public import Logging
import Media
import Rooms
import ServiceLifecycle
import UnixSignals

/// Runs the gateway server.
@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Roundhouse, a WebRTC media server.",
        discussion: """
            Exit status: 0 after a stop by SIGTERM or SIGINT, 1 when the server could not start (the message names the \
            option), 64 for a wrong option. A second signal ends the process at once.
            """,
        version: "Roundhouse 0.1.0")

    @Option(help: "Address to listen on for HTTP and WebSocket.")
    var host = "0.0.0.0"

    @Option(help: "TCP port for HTTP and WebSocket; 0 takes a free one.")
    var port: UInt16 = 3016

    @Option(help: "UDP port of the first media thread, the others take the next ones; 0 takes free ones.")
    var mediaPort: UInt16 = 44444

    @Option(help: "Address to listen on for media; may be given more than once. (default: 0.0.0.0)")
    var mediaListen: [String] = []

    @Option(help: "Address or host name that clients are told instead of the bound ones.")
    var announcedAddress: String?

    @Option(help: "Media threads. (default: one per core)")
    var shards: Int?

    @Option(help: "PEM file of the certificate for HTTPS, with its chain; read again when it changes.")
    var tlsCertificate: String?

    @Option(help: "PEM file of the HTTPS certificate's private key.")
    var tlsPrivateKey: String?

    @Option(help: "self-signed: HTTPS with a certificate made at start, for trying out.")
    var tls: TLSMode?

    @Option(help: "PEM file of the DTLS certificate. (default: one made at start)")
    var dtlsCertificate: String?

    @Option(help: "PEM file of the DTLS certificate's private key.")
    var dtlsPrivateKey: String?

    @Option(help: "What clients of /api/v1 and of the console have to give; better in ROUNDHOUSE_ADMIN_TOKEN.")
    var adminToken: String?

    @Option(help: "Open TCP connections at a time.")
    var maxConnections = GatewayLimits().connections

    @Option(help: "Peers in one room.")
    var maxPeersPerRoom = RoomConfiguration().maximumPeers

    @Option(help: "Bytes of one signaling message.")
    var maxMessageSize = GatewayLimits().messageBytes

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    func validate() throws {
        guard (dtlsCertificate == nil) == (dtlsPrivateKey == nil) else {
            throw ValidationError("--dtls-certificate and --dtls-private-key have to be given together.")
        }
        guard (tlsCertificate == nil) == (tlsPrivateKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-private-key have to be given together.")
        }
        guard tls == nil || tlsCertificate == nil else {
            throw ValidationError("--tls self-signed and --tls-certificate exclude each other.")
        }
        if let shards, !(1...64).contains(shards) { throw ValidationError("--shards has to be 1 to 64.") }
        guard maxConnections > 0 else { throw ValidationError("--max-connections has to be at least 1.") }
        guard maxPeersPerRoom > 0 else { throw ValidationError("--max-peers-per-room has to be at least 1.") }
        guard (1024...16_777_216).contains(maxMessageSize) else {
            throw ValidationError("--max-message-size has to be 1024 to 16777216.")
        }
        guard adminToken?.isEmpty != true else { throw ValidationError("--admin-token is empty.") }
        guard announcedAddress?.isEmpty != true else { throw ValidationError("--announced-address is empty.") }
    }

    func run() async throws {
        let level = logLevel
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        do throws(StartError) {
            try DescriptorLimit.raise(mediaThreads: shards)
            let plane = try openMediaPlane()
            let rooms: RoomRegistry
            let gateway: GatewayServer
            do throws(StartError) {
                rooms = try openRooms(plane)
                gateway = try await startGateway(plane, rooms)
            } catch {
                await plane.close()
                throw error
            }
            let group = ServiceGroup(
                configuration: Self.lifecycle(
                    services: [
                        MediaService(plane: plane),
                        GatewayService(gateway: gateway, rooms: rooms, welcome: welcome(gateway.port, plane.handle)),
                    ]))
            do {
                try await group.run()
            } catch {
                throw StartError("stopped by an error: \(error)")
            }
        } catch {
            StandardError.write("gateway: \(error.message)\n")
            throw ExitCode(1)
        }
    }

    private static func lifecycle(services: [any Service]) -> ServiceGroupConfiguration {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "roundhouse.server")
        )
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(5)
        return configuration
    }

    private func openMediaPlane() throws(StartError) -> MediaPlane {
        let configuration = MediaConfiguration(
            shards: shards, listenAddresses: mediaListen.isEmpty ? ["0.0.0.0"] : mediaListen, port: mediaPort,
            announcedAddress: announcedAddress, certificateFile: dtlsCertificate, privateKeyFile: dtlsPrivateKey)
        do throws(MediaError) {
            let plane = try MediaPlane(configuration: configuration)
            try plane.start()
            return plane
        } catch {
            switch error.code {
            case .certificate: throw StartError("--dtls-certificate, --dtls-private-key: \(error.message)")
            case .system: throw StartError("--media-port \(mediaPort), --media-listen: \(error.message)")
            case .invalidSetting, .streamConflict, .notFound, .overloaded:
                throw StartError("media options (--media-…, --announced-address, --shards): \(error.message)")
            }
        }
    }

    private func openRooms(_ plane: MediaPlane) throws(StartError) -> RoomRegistry {
        var configuration = RoomConfiguration()
        configuration.maximumPeers = maxPeersPerRoom
        do throws(RoomError) {
            return try RoomRegistry(media: plane.handle, configuration: configuration)
        } catch {
            throw StartError("the rooms' codecs: \(error.message)")
        }
    }

    private func startGateway(_ plane: MediaPlane, _ rooms: RoomRegistry) async throws(StartError) -> GatewayServer {
        var configuration = GatewayConfiguration(host: host, port: Int(port), tls: tlsSettings)
        configuration.limits.connections = maxConnections
        configuration.limits.messageBytes = maxMessageSize
        configuration.adminToken = adminToken ?? ProcessInfo.processInfo.environment["ROUNDHOUSE_ADMIN_TOKEN"]
        do throws(GatewayError) {
            return try await GatewayServer.start(
                configuration, rooms: rooms, mediaCounters: { plane.counters() })
        } catch {
            switch error.code {
            case .portInUse: throw StartError("--port \(port): \(error.message); choose another with --port")
            case .permissionDenied: throw StartError("--port \(port): \(error.message)")
            case .addressUnavailable: throw StartError("--host \(host): \(error.message)")
            case .certificate: throw StartError("--tls-certificate, --tls-private-key: \(error.message)")
            case .system: throw StartError("--host \(host), --port \(port): \(error.message)")
            }
        }
    }

    private var tlsSettings: TLSSettings? {
        if let tlsCertificate, let tlsPrivateKey {
            return .files(certificate: tlsCertificate, privateKey: tlsPrivateKey)
        }
        return tls == .selfSigned ? .selfSigned : nil
    }

    private func welcome(_ port: Int, _ media: MediaHandle) -> String {
        let isAny = host == "0.0.0.0" || host == "::"
        let name = isAny ? "localhost" : host.contains(":") ? "[\(host)]" : host
        let ports = Set(media.endpoints.flatMap(\.addresses).map { "\($0.transport.rawValue.uppercased()) \($0.port)" })
        guard tlsSettings == nil else {
            return """
                Roundhouse is ready: open https://\(name):\(port)
                  media: \(ports.sorted().joined(separator: ", "))

                """
        }
        return """
            Roundhouse is ready: open http://\(name):\(port)
              media: \(ports.sorted().joined(separator: ", "))
              Browsers give a page camera and microphone only on localhost or over HTTPS:
              for other machines give --tls-certificate and --tls-private-key, or --tls self-signed to try it out.

            """
    }
}

/// Why the server did not start, in one line.
struct StartError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// How the server comes to a certificate for HTTPS without files.
enum TLSMode: String, ExpressibleByArgument {
    case selfSigned = "self-signed"
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
