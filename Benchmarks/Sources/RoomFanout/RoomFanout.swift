import ArgumentParser
import Foundation

/// Measures what forwarding costs: real server processes, real sockets on loopback, neutral clients that check what they get.
@main
struct RoomFanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "RoomFanout",
        abstract: "Rooms of publishers and subscribers against a real server process; CPU per packet, latency, loss.")

    enum Mode: String, EnumerableFlag {
        case room, compare, goals, allocationGate, memory, setup, data, knee, growth, chart, selfTest

        static func help(for mode: Mode) -> ArgumentHelp? {
            switch mode {
            case .room: "One load, and what it costs (default)."
            case .compare: "The same load for the gateway, for Janus, and for the bare loop."
            case .goals: "The table of goals."
            case .allocationGate: "Fail if the media threads allocate per packet."
            case .memory: "Memory per transport and per consumer."
            case .setup: "CPU per handshake; a thousand arrivals beside a call."
            case .data:
                "CPU of a delivered message of a data channel, the highest rate, one association, an idle one's memory."
            case .knee: "How many people one core carries in rooms of ten, with sound and pictures in three sizes."
            case .growth: "What more subscribers, rooms, publishers and shards cost."
            case .chart: "CPU per packet against the number of subscribers, for Docs/images."
            case .selfTest: "Show that altered packets make the benchmark fail."
            }
        }
    }

    @Flag(exclusivity: .exclusive) var mode = Mode.room
    @Option(help: "The gateway's binary.") var gateway: String
    @Option(help: "Rooms at once.") var rooms = 1
    @Option(help: "Publishers in each room.") var publishers = 1
    @Option(help: "Subscribers in each room; each gets every publisher's stream.") var subscribers = 100
    @Flag(help: "Every subscriber publishes too, and hears all the others.") var everybody = false
    @Flag(help: "Every subscriber says what arrives (transport-wide feedback).") var feedback = false
    @Flag(help: "Every subscriber comes by a TCP connection (ICE-TCP).") var tcp = false
    @Flag(help: "What is published.") var kind = Kind.video
    @Option(help: "Packets per second of each publisher.") var pps = 300.0
    @Option(help: "Packets that leave a publisher back to back, as a frame's parts do; 1 spaces them evenly.")
    var burst = 4
    @Option(help: "Payload bytes of each packet.") var payload = 1100
    @Option(help: "SRTP profile: gcm or cm.") var profile = "gcm"
    @Flag(help: "Also find the highest rate with loss below 0.1 % and p99 below 20 ms.") var sweep = false
    @Option(help: "Media threads of the server.") var shards = 1
    @Option(help: "Cores of the server, as taskset takes them; empty: not pinned.") var serverCores = "0"
    @Option(help: "Cores of the load generator.") var loadCores = "1"
    @Option(help: "Seconds of each run.") var seconds = 5
    @Option(help: "Runs; the table shows their median.") var runs = 5
    @Option(help: "With --growth: only the series with this in their names.") var series: String?
    @Flag(help: "With --goals: a goal that is missed is an error, too, as an invalid run always is.")
    var strict = false
    @Option(help: "Also write the results to this file as JSON.") var json: String?

    enum Kind: String, EnumerableFlag { case video, audio }

    func validate() throws {
        guard rooms > 0, publishers > 0, subscribers > (everybody ? 1 : 0), pps > 0, (1...64).contains(burst),
            (30...1180).contains(payload),
            seconds > 0, runs > 0
        else { throw ValidationError("counts must be positive, --burst 1 to 64, --payload 30 to 1180") }
        guard profile == "gcm" || profile == "cm" else { throw ValidationError("--profile is gcm or cm") }
    }

    func run() async throws {
        raiseFileLimit()
        let signals = ChildProcess.endOnSignals()
        defer { for source in signals { source.cancel() } }
        let bench = try Bench(
            gateway: gateway,
            tools: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent(),
            serverCores: serverCores, loadCores: loadCores)
        let load = Load(
            rooms: rooms, publishers: publishers, subscribers: subscribers, everybody: everybody, audio: kind == .audio,
            packetsPerSecond: pps, burst: kind == .audio ? 1 : burst, payload: payload,
            feedback: feedback, tcp: tcp, profile: profile)
        let machine = Machine.current()
        let outcome: Result<Bool, any Error>
        do { outcome = .success(try await perform(load, bench, machine)) } catch { outcome = .failure(error) }
        await bench.close()
        guard try outcome.get() else { throw ExitCode.failure }
    }

    /// - Returns: whether everything is as it should be: runs are valid, and with `strict` every goal is met.
    private func perform(_ load: Load, _ bench: Bench, _ machine: Machine) async throws -> Bool {
        switch mode {
        case .room, .compare:
            let servers = mode == .compare ? ["gateway", "janus"] : ["gateway"]
            var results: [Comparison] = []
            for server in servers {
                results.append(
                    try await Comparison.measure(
                        server == "janus" ? Janus(bench) : Gateway(bench, shards: shards), load, runs: runs,
                        seconds: seconds, sweeps: sweep, bench))
            }
            try write(results, load, machine)
            print(load.summary)
            try table(results, load, bench).print()
        case .goals:
            let goals = try await Goals.measure(load, runs: runs, seconds: seconds, bench)
            try write(goals, load, machine)
            goals.print()
            return goals.allPassed || !strict
        case .allocationGate:
            let gate = try await AllocationGate.run(load, bench)
            try write(gate, load, machine)
            print(gate.summary)
            return gate.passes
        case .memory:
            let memory = try await MemoryUse.run(load, transports: 200, added: 3, bench)
            try write(memory, load, machine)
            print(
                "\(memory.kibPerTransport.text(1)) KiB per transport, \(memory.kibPerConsumer.text(1)) KiB per consumer"
            )
        case .setup:
            let cost = try await SetUpCost.run(load, handshakes: 500, transports: 1000, bench)
            try write(cost, load, machine)
            print(
                "\(cost.millisecondsPerHandshake.text(3)) ms per handshake, \(cost.createdPerSecond.text(0)) transports "
                    + "with a consumer in a second (\(cost.millisecondsPerTransport.text(2)) ms of CPU each), loss meanwhile \((cost.lossMeanwhile * 100).text(3)) %"
            )
        case .data:
            let data = try await DataFanOut.measure(seconds: seconds, bench)
            try write(data, load, machine)
            var goals = Goals()
            goals.add(data)
            goals.print()
        case .knee:
            let knee = try await Knee.measure(seconds: seconds, bench)
            try write(knee, load, machine)
            knee.print()
        case .growth:
            let growth = try await Growth.measure(runs: runs, seconds: seconds, only: series, bench)
            try write(growth, load, machine)
            growth.print()
        case .chart:
            let points = try await ChartPoint.measure(load, runs: runs, seconds: seconds, bench)
            try write(points, load, machine)
            ChartPoint.table(points).print()
        case .selfTest: return try await SelfTest.run(bench)
        }
        print(machine.summary)
        return true
    }

    private func table(_ results: [Comparison], _ load: Load, _ bench: Bench) throws -> Table {
        let own = results[0].figures.cpuMicroseconds
        var rows = [["", "packets/s", "CPU per packet", "ratio", "p50", "p99", "loss", "memory", "highest rate"]]
        for result in results {
            let figures = result.figures
            rows.append([
                result.server, figures.packetsPerSecond.text(0), "\(figures.cpuMicroseconds.text(2)) µs",
                (figures.cpuMicroseconds / own).text(2), "\(figures.latencyP50.text(1)) ms",
                "\(figures.latencyP99.text(1)) ms", "\((figures.loss * 100).text(3)) %",
                "\(figures.memoryMiB.text(0)) MiB", result.highest?.rate ?? "",
            ])
        }
        for burst in mode == .compare ? [load.burst] : [] {
            guard let floor = try Floor.median(load, burst: burst, runs: runs, bench) else { continue }
            let empty = Array(repeating: "", count: 5)
            rows.append(["floor, bursts of \(burst)", "", "\(floor.text(2)) µs", (floor / own).text(2)] + empty)
        }
        return Table(rows: rows)
    }

    private func write(_ result: some Encodable, _ load: Load, _ machine: Machine) throws {
        guard let json else { return }
        let command = CommandLine.arguments.dropFirst().joined(separator: " ")
        try Report(machine: machine, command: command, load: load, result: result).write(to: json)
    }

    private func raiseFileLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
