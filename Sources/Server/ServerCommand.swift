import ArgumentParser

/// Runs the gateway server.
@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "Roundhouse, a WebRTC media server.")

    func run() async throws {}
}
