import ArgumentParser
import Logging
import RoundhouseGateway
import RoundhouseMedia
import RoundhouseRooms

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
        subcommands: [
            CheckConfigCommand.self, DoctorCommand.self, HealthCommand.self, ReplayCommand.self, TokenCommand.self,
        ])

    @OptionGroup var options: SettingsOptions

    /// Swift has the arguments from /proc. Where that is not mounted they would be ignored in silence, the key that closes
    /// the server too.
    static func main() async {
        guard CommandLine.arguments.contains(where: { !$0.isEmpty }) else {
            StandardStream.error.write("gateway: its options cannot be read, since /proc is not mounted: mount it\n")
            exit(withError: ExitCode(1))
        }
        await main(nil)
    }

    func run() async throws {
        let settings = try readSettings(options)
        let running = RunningSettings(settings)
        LoggingSystem.bootstrap { RunningLogHandler(label: $0, settings: running) }
        defer { LogQueue.standardError.flush() }
        do throws(StartError) {
            try await serve(settings, running)
        } catch {
            StandardStream.error.write("\(ProgramName.current): \(error.message)\n")
            throw ExitCode(1)
        }
    }

    private func serve(_ settings: ServerSettings, _ running: RunningSettings) async throws(StartError) {
        MediaEnvironment.limitHeaps()
        try DescriptorLimit.raise(mediaThreads: settings.media.shards)
        // Caught from here on: whoever sees the server's first line may send one.
        let signals = await ProcessSignals(RunningServer.signals)
        let logger = Logger(label: "roundhouse.server")
        let server = try await RunningServer.start(settings, logger)
        for warning in settings.warnings { logger.warning("\(warning)") }
        if settings.isOpenToStrangers {
            logger.warning(
                "\(settings.whoReachesIt) may enter every room: give --auth-key-file to ask for tokens",
                metadata: ["host": "\(settings.gateway.host)"])
        }
        if case .insteadOfFaulty = MediaEnvironment.encryption {
            logger.warning("libIPSec_MB.so.1 gives wrong answers: it is not used, and libcrypto encrypts instead")
        }
        let names = AnnouncedNames(settings.media.announcedAddresses, logger) { server.plane.announce($0) }
        let looking = Task { await names.run() }
        defer { looking.cancel() }
        for failure in server.plane.listenerFailures { logger.warning("\(failure)") }
        if server.plane.awaitsAddress {
            logger.warning(
                "media has no address but this machine's own: others get no picture and no sound before there is one",
                metadata: ["media-listen": "\(settings.media.listenAddresses.joined(separator: ", "))"])
        }
        let reload = ConfigurationReload(options: options, server: server, running: running, logger: logger)
        StandardStream.output.write(welcome(server, settings))
        try await server.run(signals, running, reload: reload)
    }

    private func welcome(_ server: RunningServer, _ settings: ServerSettings) -> String {
        let (port, media) = (server.gateway.port, server.plane.handle)
        let host = settings.gateway.host
        let isAny = host == "0.0.0.0" || host == "::"
        let name = isAny ? "localhost" : host.contains(":") ? "[\(host)]" : host
        let turn = server.gateway.turnWays.map { "\n  TURN: \($0)" } ?? ""
        let ways = ShardEndpoint.ways(to: media.endpoints) + turn
        let scheme = settings.gateway.tls == nil ? "http" : "https"
        // Where media is reached, a browser on another machine reaches the page, too; what nobody else reaches is left out.
        let others = isAny ? Set(media.endpoints.flatMap(\.addresses).map(\.address)).filter(Self.isReached) : []
        let elsewhere = others.sorted().map { "\(scheme)://\($0.contains(":") ? "[\($0)]" : $0):\(port)" }
        let places =
            "  console: \(scheme)://\(name):\(port)/console\n"
            + (elsewhere.isEmpty ? "" : "  from other machines: \(elsewhere.joined(separator: ", "))\n")
        guard settings.gateway.tls == nil else {
            return """
                Roundhouse is ready: open https://\(name):\(port)
                  media: \(ways)
                \(places)
                """
        }
        return """
            Roundhouse is ready: open http://\(name):\(port)
              media: \(ways)
            \(places)\
              Browsers give a page camera and microphone only on localhost or over HTTPS:
              for other machines give --tls-certificate and --tls-private-key, or --tls self-signed to try it out.

            """
    }
}

extension ServerCommand {
    /// Whether an address is no loopback one.
    private static func isReached(_ address: String) -> Bool {
        !address.hasPrefix("127.") && address != "::1" && address != "localhost"
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
