import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Measures what forwarding costs: a real server process, real sockets on loopback, neutral clients that check what they get.
@main
struct RoomFanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "RoomFanout",
        abstract:
            "Rooms of publishers and subscribers against a real gateway process; CPU per forwarded packet, latency, loss."
    )

    @Option(help: "The gateway's binary.") var gateway: String
    @Option(help: "The load generator's binary.") var loadGenerator: String
    @Option(help: "Rooms at once.") var rooms = 1
    @Option(help: "Publishers in each room.") var publishers = 1
    @Option(help: "Subscribers in each room; each gets every publisher's stream.") var subscribers = 100
    @Flag(help: "Audio (opus) instead of video (VP8).") var audio = false
    @Option(help: "Packets per second of each publisher.") var pps = 300.0
    @Option(help: "Payload bytes of each packet.") var payload = 1100
    @Option(help: "SRTP profile: gcm or cm.") var profile = "gcm"
    @Option(help: "Media threads of the server.") var shards = 1
    @Option(help: "Cores of the server, as taskset takes them; empty: not pinned.") var serverCores = "0"
    @Option(help: "Cores of the load generator.") var loadCores = "1"
    @Option(help: "Seconds of each run.") var seconds = 5
    @Option(help: "Runs; the table shows their median.") var runs = 3
    @Option(help: "Also write the results to this file as JSON.") var json: String?

    func validate() throws {
        guard rooms > 0, publishers > 0, subscribers > 0, pps > 0, (16...1180).contains(payload), seconds > 0, runs > 0
        else { throw ValidationError("counts must be positive, --payload 16 to 1180") }
        guard profile == "gcm" || profile == "cm" else { throw ValidationError("--profile is gcm or cm") }
    }

    func run() async throws {
        let port = 20_000 + Int(getpid()) % 10_000
        let server = try ChildProcess(
            gateway,
            [
                "--host", "127.0.0.1", "--port", "\(port)", "--media-listen", "127.0.0.1", "--media-port",
                "\(port + 10_000)", "--shards", "\(shards)", "--log-level", "error",
            ], cores: serverCores.isEmpty ? nil : serverCores)
        defer { server.stop() }
        _ = try server.line(startingWith: "Roundhouse is ready")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("RoomFanout-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let fingerprint = try fingerprint(in: folder)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let shape = LoadedRoom.Shape(
            publishers: publishers, subscribers: subscribers, isAudio: audio, packetsPerSecond: pps, payload: payload,
            profile: profile)
        var loaded: [LoadedRoom] = []
        var transports = 0
        for index in 0..<rooms {
            let room = try await LoadedRoom(
                name: "bench\(index)", shape: shape, port: port, fingerprint: fingerprint, firstTransport: transports,
                group: group)
            transports += room.transportCount
            loaded.append(room)
        }
        let plan = folder.appendingPathComponent("plan")
        try loaded.flatMap(\.plan).sorted { $0.hasPrefix("transport") && !$1.hasPrefix("transport") }
            .joined(separator: "\n").appending("\n").write(to: plan, atomically: true, encoding: .utf8)
        let generator = try ChildProcess(
            loadGenerator,
            ["run", "--certs", folder.path, "--plan", plan.path, "--watch", "\(server.processIdentifier)"],
            cores: loadCores.isEmpty ? nil : loadCores)
        defer { generator.stop() }
        progress(try generator.line(startingWith: "ready", "failed"))
        var results: [Measurement] = []
        for number in 1...runs {
            generator.say("start \(seconds) 1")
            let measurement = try Measurement(generator.line(startingWith: "{"))
            progress("run \(number)/\(runs): " + measurement.summary)
            results.append(measurement)
        }
        generator.say("quit")
        for room in loaded { await room.close() }
        try await group.shutdownGracefully()
        try report(results)
    }

    private func fingerprint(in folder: URL) throws -> String {
        let maker = try ChildProcess(loadGenerator, ["cert", folder.path], cores: nil)
        defer { maker.stop() }
        while true {
            let line = try maker.line(startingWith: "")
            if let word = line.split(separator: " ").last, word.contains(":") { return String(word) }
        }
    }

    private func progress(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    private func report(_ results: [Measurement]) throws {
        let kind = audio ? "audio" : "video"
        print(
            "\(rooms) room(s), \(publishers) publisher(s) × \(subscribers) subscriber(s), \(kind) \(Int(pps)) packets/s "
                + "of \(payload) bytes, \(profile), \(shards) shard(s), \(runs) runs of \(seconds) s")
        for (name, value) in Measurement.medians(of: results) { print("  \(name): \(value)") }
        if let json {
            let lines = results.map(\.source).joined(separator: ",\n")
            try "[\(lines)]\n".write(toFile: json, atomically: true, encoding: .utf8)
        }
        guard results.allSatisfy(\.isValid) else {
            progress("not valid: packets failed authentication, or streams did not arrive")
            throw ExitCode.failure
        }
    }
}
