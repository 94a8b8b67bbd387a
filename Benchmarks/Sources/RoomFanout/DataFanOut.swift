import Foundation

/// What data channels cost: one sender and many receivers, and one association as fast as it goes.
struct DataFanOut: Codable {
    static let receivers = 100
    static let size = 1024
    static let pace = 300.0

    /// Server CPU of one delivered message at `pace` messages a second, in microseconds, with all that SCTP and DTLS need.
    var microsecondsPerMessage: Double
    /// Milliseconds.
    var latencyP99: Double
    /// Delivered in a second at the highest pace at which every message arrives, in order.
    var highest: Double
    /// Of a core, at that pace: the server's, and the generator's.
    var serverBusy: Double
    var generatorBusy: Double
    /// One association, messages of 16 KiB: gigabits of them in a second, and of a second of the server's CPU.
    var incoming: Throughput
    /// The same relayed to one receiver, so that two associations and both directions are in it.
    var relayed: Throughput

    struct Throughput: Codable {
        var gigabits: Double
        var gigabitsPerCore: Double

        var text: String { "\(gigabits.text(2)) Gb/s, \(gigabitsPerCore.text(2)) Gb/s a core" }
    }

    static func measure(seconds: Int, _ bench: Bench) async throws -> DataFanOut {
        let room = try await DataRoom(receivers: receivers, size: size, bench)
        let usual = try room.run(at: pace, seconds: seconds)
        guard usual.isWhole(receivers) else {
            throw ChildProcess.Failure(description: "messages were lost at \(pace)/s: \(usual)")
        }
        let best = try room.highest(from: pace * 2, seconds: max(seconds / 2, 2)) ?? usual
        await room.close()
        let counts = usual.data
        return DataFanOut(
            microsecondsPerMessage: usual.watch.cpu_s_fine / Double(counts.delivered) * 1e6,
            latencyP99: Double(usual.latency_us.p99) / 1000, highest: Double(best.data.delivered) / best.wall_s,
            serverBusy: best.watch.cpu_s_sending_fine / best.wall_s, generatorBusy: best.cpu_s / best.wall_s,
            incoming: try await throughput(receivers: 0, seconds, bench),
            relayed: try await throughput(receivers: 1, seconds, bench))
    }

    private static func throughput(receivers: Int, _ seconds: Int, _ bench: Bench) async throws -> Throughput {
        let room = try await DataRoom(receivers: receivers, size: 16_384, bench)
        let run = try room.run(at: 0, seconds: seconds)
        await room.close()
        let bits = receivers == 0 ? Double(run.data.sent) * 16_384 * 8 : Double(run.data.bytes) * 8
        return Throughput(
            gigabits: bits / run.wall_s / 1e9, gigabitsPerCore: bits / run.watch.cpu_s_fine / 1e9)
    }
}

/// A server with one sender of messages and its receivers.
private final class DataRoom {
    private let server: Gateway
    private let generator: LoadGenerator
    private let receivers: Int

    init(receivers: Int, size: Int, _ bench: Bench) async throws {
        self.receivers = receivers
        // Measured is the server, not what it would rather not take.
        server = try Gateway(
            bench,
            options: [
                "--max-data-messages-per-second", "1000000", "--max-megabits-per-producer", "100000",
                "--max-megabits-per-transport", "100000",
            ])
        var plan = Plan()
        var listeners: [GatewayPeer] = []
        for index in 0..<receivers {
            let peer = try await server.peer("r\(index)", room: "data")
            let transport = try await peer.makeTransport(producing: false, hasData: true)
            try await peer.join(consumes: false, hasData: true)
            try await peer.connect(transport)
            plan.carryData(on: try plan.addTransport(transport.remote, profile: "gcm"))
            listeners.append(peer)
        }
        let sender = try await server.peer("sender", room: "data")
        let transport = try await sender.makeTransport(producing: true, hasData: true)
        try await sender.join(consumes: false, hasData: true)
        try await sender.connect(transport)
        try await sender.produceData(on: transport.id, stream: 0)
        plan.carryData(on: try plan.addTransport(transport.remote, profile: "gcm"), size: size)
        for peer in listeners { try await peer.client.awaitRequests(1) }
        generator = try LoadGenerator(plan.takeText(), watching: server.process, bench)
    }

    /// - Parameter pace: messages a second; 0 for as many as the server takes.
    func run(at pace: Double, seconds: Int) throws -> DataMeasurement {
        generator.setPace(pace)
        generator.begin(seconds: seconds, warmUp: 1)
        let run = try generator.endData("data at \(pace.text(0))/s")
        Bench.progress(
            "data at \(pace.text(0))/s: \(run.data.delivered) delivered of \(run.data.sent) × \(receivers), p50 "
                + "\(run.latency_us.p50) µs, p99 \(run.latency_us.p99) µs, \(run.data.gaps) out of order, begun again "
                + "\(run.data.again) times")
        return run
    }

    /// The run at the highest pace at which everything arrives within 100 ms.
    func highest(from start: Double, seconds: Int) throws -> DataMeasurement? {
        var (good, bad) = (0.0, Double.infinity)
        var best: DataMeasurement?
        var pace = start
        for _ in 0..<9 {
            let run = try run(at: pace, seconds: seconds)
            if run.isWhole(receivers), run.latency_us.p99 < 100_000, run.hasKept(pace) {
                (good, best) = (pace, run)
            } else {
                bad = pace
            }
            guard bad / max(good, 1) > 1.06 else { break }
            pace = bad.isFinite ? (good + bad) / 2 : pace * 2
            if good == 0 { pace = bad / 2 }
        }
        return best
    }

    func close() async {
        generator.stop()
        await server.close()
    }
}

/// What the load generator reports of a run of data channels.
struct DataMeasurement: Codable {
    struct Counts: Codable {
        var sent: Int
        var delivered: Int
        var bytes: Int
        var gaps: Int
        var disorder: Int
        var again: Int
    }

    struct Watch: Codable {
        var cpu_s_fine: Double
        var cpu_s_sending_fine: Double
    }

    var data: Counts
    var latency_us: Measurement.Latency
    var wall_s: Double
    var cpu_s: Double
    var failed_transports: Int
    var watch: Watch

    init(_ line: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(line.utf8)) }

    /// Whether every message reached everybody, in order.
    func isWhole(_ receivers: Int) -> Bool {
        data.sent > 0 && data.delivered == data.sent * receivers && data.disorder == 0 && failed_transports == 0
    }

    /// Whether the sender was let send so many messages a second.
    func hasKept(_ pace: Double) -> Bool { Double(data.sent) / wall_s > pace * 0.97 }
}
