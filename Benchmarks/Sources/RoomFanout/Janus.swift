import Foundation

/// Janus with its VideoRoom plugin, as Debian packages it, with its own configuration in a temporary folder.
final class Janus: ForwardingServer {
    static let binary = "/usr/bin/janus"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: binary) }

    let name = "Janus"
    let process: ChildProcess
    private let bench: Bench
    private let port = 30_000 + Int(getpid()) % 10_000
    private var clients: [SignalingClient] = []

    init(_ bench: Bench) async throws {
        self.bench = bench
        let folder = bench.folder.appendingPathComponent("janus")
        try Self.writeConfiguration(in: folder, port: port)
        process = try ChildProcess(
            Self.binary, ["--configs-folder=\(folder.path)", "--disable-stdout", "--disable-colors"],
            cores: bench.serverCores)
        let deadline = ContinuousClock.now + .seconds(15)
        while clients.isEmpty {
            do { clients.append(try await connect()) } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func connect() async throws -> SignalingClient {
        try await SignalingClient.connect(.janus, port: port, path: "/", group: bench.group)
    }

    /// Janus knows a publisher only once it is connected, so the subscribers come after that.
    func load(_ load: Load, _ bench: Bench) async throws -> LoadGenerator {
        var plan = Plan()
        var feeds: [[Int]] = []
        for room in 1...load.rooms {
            let control = try await JanusHandle.attach(clients[0])
            _ = try await control.message([
                "request": "create", "room": room, "publishers": 1000, "bitrate": 0, "notify_joining": false,
                "videocodec": "vp8", "audiocodec": "opus", "fir_freq": 0,
            ])
            var published: [Int] = []
            for _ in 0..<(load.everybody ? load.subscribers : load.publishers) {
                published.append(try await publish(in: room, load, &plan))
            }
            feeds.append(published)
        }
        let generator = try LoadGenerator(plan.takeText(), watching: process, bench)
        for (room, published) in zip(1..., feeds) {
            for index in 0..<load.subscribers {
                let others = published.enumerated().filter { !load.everybody || $0.offset != index }.map(\.element)
                try await subscribe(to: others, in: room, load, &plan)
            }
        }
        try generator.add(plan.takeText())
        return generator
    }

    private func publish(in room: Int, _ load: Load, _ plan: inout Plan) async throws -> Int {
        let handle = try await JanusHandle.attach(clients[0])
        let joined = try await handle.message(["request": "join", "ptype": "publisher", "room": room])
        guard let feed = joined.data["id"] as? Int else { throw JanusHandle.unexpected(joined.data) }
        let number = plan.upcoming
        let offer = SessionDescription.offer(number, load, fingerprint: bench.fingerprint)
        let answer = try await handle.message(
            ["request": "configure", "audio": load.audio, "video": !load.audio, "bitrate": 0],
            description: ["type": "offer", "sdp": offer, "trickle": false])
        _ = try plan.addTransport(try SessionDescription.remote(of: answer.description), profile: load.profile)
        plan.send(on: number, load)
        return feed
    }

    private func subscribe(to feeds: [Int], in room: Int, _ load: Load, _ plan: inout Plan) async throws {
        let handle = try await JanusHandle.attach(clients[0])
        let join: JSON = [
            "request": "join", "ptype": "subscriber", "room": room, "streams": feeds.map { ["feed": $0] as JSON },
        ]
        // The publishers' handshakes are over at our end; Janus may need a moment more.
        var offer = try? await handle.message(join)
        for _ in 0..<100 where offer == nil {
            try await Task.sleep(for: .milliseconds(20))
            offer = try? await handle.message(join)
        }
        guard let offer else { throw JanusHandle.unexpected(["feeds": feeds]) }
        let number = try plan.addTransport(try SessionDescription.remote(of: offer.description), profile: load.profile)
        let answer = SessionDescription.answer(to: offer.description, number, fingerprint: bench.fingerprint)
        _ = try await handle.message(
            ["request": "start"], description: ["type": "answer", "sdp": answer, "trickle": false])
        plan.expect(feeds.count, on: number)
    }

    func close() async {
        for client in clients { await client.close() }
        process.stop()
    }

    private static func writeConfiguration(in folder: URL, port: Int) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let library =
            try FileManager.default.subpathsOfDirectory(atPath: "/usr/lib")
            .first { $0.hasSuffix("janus/plugins/libjanus_videoroom.so") } ?? ""
        let root = "/usr/lib/" + library.replacingOccurrences(of: "/plugins/libjanus_videoroom.so", with: "")
        let only = ["plugins": "videoroom", "transports": "websockets"]
        func disabled(_ kind: String) throws -> String {
            try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(kind)")
                .filter { !$0.contains(only[kind] ?? "/") }.joined(separator: ",")
        }
        let general = """
            general: {
              plugins_folder = "\(root)/plugins"
              transports_folder = "\(root)/transports"
              events_folder = "\(root)/events"
              loggers_folder = "\(root)/loggers"
              debug_level = 0
              session_timeout = 0
            }
            media: { no_media_timer = 0, slowlink_threshold = 0 }
            nat: { ice_lite = true, ice_tcp = false, full_trickle = false, ice_enforce_list = "lo" }
            plugins: { disable = "\(try disabled("plugins"))" }
            transports: { disable = "\(try disabled("transports"))" }
            events: { broadcast = false }
            """
        let transport = """
            general: { json = "compact", ws = true, ws_port = \(port), ws_ip = "127.0.0.1", wss = false }
            """
        try general.write(to: folder.appendingPathComponent("janus.jcfg"), atomically: true, encoding: .utf8)
        try transport.write(
            to: folder.appendingPathComponent("janus.transport.websockets.jcfg"), atomically: true, encoding: .utf8)
        try "".write(
            to: folder.appendingPathComponent("janus.plugin.videoroom.jcfg"), atomically: true, encoding: .utf8)
    }
}
