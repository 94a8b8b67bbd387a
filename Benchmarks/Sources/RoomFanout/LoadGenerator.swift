import Foundation

/// The neutral clients: one process that plays every transport of a plan and checks what it gets.
final class LoadGenerator {
    private let process: ChildProcess
    private let server: ChildProcess
    private let folder: URL
    private var plans = 0

    /// Connects every transport of the plan.
    init(_ plan: String, watching server: ChildProcess, _ bench: Bench) throws {
        self.server = server
        folder = bench.folder.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("plan")
        try plan.write(to: file, atomically: true, encoding: .utf8)
        process = try ChildProcess(
            bench.tools.appendingPathComponent("LoadGenerator").path,
            ["run", "--certs", bench.folder.path, "--plan", file.path, "--watch", "\(server.processIdentifier)"],
            cores: bench.loadCores)
        try awaitConnections()
    }

    /// Connects more transports.
    func add(_ plan: String) throws {
        plans += 1
        let file = folder.appendingPathComponent("plan\(plans)")
        try plan.write(to: file, atomically: true, encoding: .utf8)
        process.say("add \(file.path)")
        try awaitConnections()
    }

    /// Changes the packets per second of every sender.
    func setPace(_ packetsPerSecond: Double) { process.say("set pps=\(packetsPerSecond)") }

    /// Whether ICE checks and reports are sent.
    func setChecking(_ isChecking: Bool) { process.say("set checks=\(isChecking ? 1 : 0)") }

    /// Lets the senders run.
    func measure(_ label: String, seconds: Int, warmUp: Double = 1) throws -> Measurement {
        begin(seconds: seconds, warmUp: warmUp)
        return try end(label)
    }

    /// Starts the senders without waiting for the end.
    func begin(seconds: Int, warmUp: Double) { process.say("start \(seconds) \(warmUp)") }

    /// Waits for the end of what ``begin(seconds:warmUp:)`` started.
    func end(_ label: String) throws -> Measurement {
        let measurement = try Measurement(try report(label))
        Bench.progress("\(label): \(measurement.summary)")
        return measurement
    }

    /// The same of a run of data channels.
    func endData(_ label: String) throws -> DataMeasurement { try DataMeasurement(try report(label)) }

    private func report(_ label: String) throws -> String {
        var elapsed = 0
        var before = server.cpuSeconds
        return try process.line(startingWith: "{") {
            elapsed += 1
            let now = server.cpuSeconds
            Bench.progress(
                String(format: "%@: %d s, server at %.0f %% of a core", label, elapsed, (now - before) * 100))
            before = now
        }
    }

    func stop() {
        process.say("quit")
        process.stop()
    }

    private func awaitConnections() throws {
        let line = try process.line(startingWith: "ready", "failed")
        guard line.hasPrefix("ready") else {
            throw ChildProcess.Failure(description: "a transport did not connect: \(line)")
        }
        Bench.progress("connected: \(line)")
    }
}
