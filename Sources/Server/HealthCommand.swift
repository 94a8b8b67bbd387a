import ArgumentParser
import RoundhouseGateway

/// Asks a running server whether it is well: what container runtimes call again and again, where there is no curl.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the running server with the same settings whether it is well.",
        discussion: """
            The server is found as it was started: by --port and --host, the file, or the environment. Exit status: 0 if it \
            answers 200, 1 if it answers otherwise or not at all within five seconds.
            """)

    @Flag(help: "Ask whether it takes new peers (/readyz) rather than whether it runs (/healthz).")
    var ready = false

    @OptionGroup(title: "Settings of the server") var options: SettingsOptions

    func run() async throws {
        let settings = try readSettings(options)
        do throws(GatewayError) {
            let status = try HealthProbe.ask(settings.gateway, path: ready ? "/readyz" : "/healthz")
            guard status != 200 else { return StandardStream.output.write("ok\n") }
            StandardStream.error.write("\(ProgramName.current): the server answered \(status)\n")
        } catch {
            StandardStream.error.write("\(ProgramName.current): \(error.message)\n")
        }
        throw ExitCode(1)
    }
}
