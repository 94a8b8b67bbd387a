import ArgumentParser
import Logging
import RoundhouseRooms

/// Looks at everything that keeps servers from working: the first thing to run when something does not.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what on this machine or in these settings keeps the server, or its clients, from working.",
        discussion: """
            Give it the options that the server has; as the user who runs the server. If no server runs with them, one is \
            started and ended, so that ports and addresses are really tried. Exit status: 0 if nothing keeps the server from \
            working, 1 if something does, 2 for a wrong configuration file or environment.
            """)

    @Flag(help: "Write a JSON array of {level, subject, text}; level is ok, warning or failure.")
    var json = false

    @OptionGroup(title: "Settings of the server") var options: SettingsOptions

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let settings = try readSettings(options)
        let findings = HostExamination.findings() + (await SettingsExamination(settings: settings).findings())
        StandardStream.output.write(
            json
                ? JSONValue.array(findings.map(\.json)).text + "\n"
                : findings.map(\.line).joined())
        if findings.contains(where: { $0.level == .failure }) { throw ExitCode(1) }
    }
}
