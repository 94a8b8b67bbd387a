import ArgumentParser
import RoundhouseGateway

/// Judges a configuration without starting a server.
struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Shows the configuration that the server would have, and where each value is from.",
        discussion: "Exit status: 0 if the server would take it, 2 if it would not (the message says why).")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings: ServerSettings
        do throws(SettingsError) {
            settings = try ServerSettings.read(options)
            do throws(GatewayError) {
                try GatewayServer.check(settings.gateway)
            } catch {
                throw SettingsError(message: "tls-certificate, tls-private-key: \(error.message)")
            }
        } catch {
            StandardStream.error.write("\(ProgramName.current): \(error.message)\n")
            throw ExitCode(2)
        }
        for warning in settings.warnings { StandardStream.error.write("\(ProgramName.current): warning: \(warning)\n") }
        if settings.isOpenToStrangers {
            StandardStream.error.write(
                "\(ProgramName.current): warning: \(settings.whoReachesIt) may enter every room: give auth-key-file to ask for tokens\n"
            )
        }
        var lines = ""
        for setting in Setting.allCases {
            guard let (value, origin) = settings.shown[setting] else { continue }
            let line = "\(setting.rawValue): \(value)"
            lines += line + String(repeating: " ", count: max(2, 48 - line.count)) + "# \(origin)\n"
        }
        StandardStream.output.write(lines)
    }
}
