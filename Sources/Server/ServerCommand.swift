import ArgumentParser
import Logging
import RoundhouseGateway
import RoundhouseMedia
import RoundhouseRooms
import ServiceLifecycle
import UnixSignals

/// Runs the gateway server.
@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ProgramName.current,
        abstract: "Roundhouse, a WebRTC media server.",
        discussion: """
            Exit status: 0 after a stop by SIGTERM or SIGINT, 1 when the server could not start (the message names the \
            option), 2 for a wrong configuration file or environment, 64 for a wrong option. A second signal ends the \
            process at once, with 143 or 130. SIGHUP reads the configuration file, keys and certificates again.
            """,
        version: "Roundhouse \(ServerVersion.current)",
        subcommands: [CheckConfigCommand.self, HealthCommand.self, TokenCommand.self])

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try readSettings(options)
        let running = RunningSettings(settings)
        LoggingSystem.bootstrap { RunningLogHandler(label: $0, settings: running) }
        do throws(StartError) {
            try await serve(settings, running)
        } catch {
            StandardStream.error.write("\(ProgramName.current): \(error.message)\n")
            throw ExitCode(1)
        }
    }

    private func serve(_ settings: ServerSettings, _ running: RunningSettings) async throws(StartError) {
        try DescriptorLimit.raise(mediaThreads: settings.media.shards)
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let plane = try openMediaPlane(settings)
        let rooms: RoomRegistry
        let gateway: GatewayServer
        do throws(StartError) {
            rooms = try openRooms(plane, settings)
            gateway = try await startGateway(plane, rooms, settings)
        } catch {
            await plane.close()
            throw error
        }
        let logger = Logger(label: "roundhouse.server")
        for warning in settings.warnings { logger.warning("\(warning)") }
        if settings.isOpenToStrangers {
            logger.warning(
                "everybody who can reach this address may enter every room: give --auth-key-file to ask for tokens",
                metadata: ["host": "\(settings.gateway.host)"])
        }
        let group = ServiceGroup(
            configuration: Self.lifecycle(
                services: [
                    MediaService(plane: plane),
                    GatewayService(
                        gateway: gateway, rooms: rooms, running: running,
                        welcome: welcome(gateway.port, plane.handle, settings)),
                    ReloadService(
                        options: options, gateway: gateway, rooms: rooms, running: running, logger: logger,
                        signals: hangups),
                ]))
        do {
            try await group.run()
        } catch {
            throw StartError("stopped by an error: \(error)")
        }
    }

    private static func lifecycle(services: [any Service]) -> ServiceGroupConfiguration {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "roundhouse.server")
        )
        // The longest drain there may be, which may have been set meanwhile, and what follows it.
        configuration.maximumGracefulShutdownDuration = .seconds(3600 + 10)
        configuration.maximumCancellationDuration = .seconds(5)
        return configuration
    }

    private func openMediaPlane(_ settings: ServerSettings) throws(StartError) -> MediaPlane {
        do throws(MediaError) {
            let plane = try MediaPlane(configuration: settings.media)
            try plane.start()
            return plane
        } catch {
            switch error.code {
            case .certificate: throw StartError("--dtls-certificate, --dtls-private-key: \(error.message)")
            case .system: throw StartError("--media-port \(settings.media.port), --media-listen: \(error.message)")
            case .invalidSetting, .streamConflict, .notFound, .overloaded:
                throw StartError("media options (--media-…, --announced-address, --shards): \(error.message)")
            }
        }
    }

    private func openRooms(_ plane: MediaPlane, _ settings: ServerSettings) throws(StartError) -> RoomRegistry {
        do throws(RoomError) {
            return try RoomRegistry(media: plane.handle, configuration: settings.rooms)
        } catch {
            throw StartError("the rooms' codecs: \(error.message)")
        }
    }

    private func startGateway(
        _ plane: MediaPlane, _ rooms: RoomRegistry, _ settings: ServerSettings
    ) async throws(StartError) -> GatewayServer {
        let (host, port) = (settings.gateway.host, settings.gateway.port)
        do throws(GatewayError) {
            return try await GatewayServer.start(
                settings.gateway, rooms: rooms, mediaCounters: { plane.counters() })
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

    private func welcome(_ port: Int, _ media: MediaHandle, _ settings: ServerSettings) -> String {
        let host = settings.gateway.host
        let isAny = host == "0.0.0.0" || host == "::"
        let name = isAny ? "localhost" : host.contains(":") ? "[\(host)]" : host
        let ports = Set(media.endpoints.flatMap(\.addresses).map { "\($0.transport.rawValue.uppercased()) \($0.port)" })
        guard settings.gateway.tls == nil else {
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

/// Reads the settings, or ends as a wrong option or a wrong file ends a command.
func readSettings(_ options: SettingsOptions) throws -> ServerSettings {
    do throws(SettingsError) {
        return try ServerSettings.read(options)
    } catch {
        if error.isUsage { throw ValidationError(error.message) }
        StandardStream.error.write("\(ProgramName.current): \(error.message)\n")
        throw ExitCode(2)
    }
}
