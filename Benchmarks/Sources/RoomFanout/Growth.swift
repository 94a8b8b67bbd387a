import Foundation

/// What a server costs as one thing grows and the rest stays: more subscribers, rooms, publishers, shards.
struct Growth: Encodable {
    struct Row: Encodable {
        var series: String
        var count: Int
        var packetsPerSecond: Double
        /// Microseconds of the server for each forwarded packet.
        var cpuPerPacket: Double
        /// Milliseconds.
        var latencyP99: Double
        /// Of one.
        var loss: Double
        /// Of all that was forwarded, what each media thread did.
        var shares: [Double]
        /// While nobody sends; `nil` if that was not looked at.
        var idle: Idle?
        /// Anonymous memory for each connected peer, beyond that of an empty server.
        var kibPerPeer: Double
        var joinsPerSecond: Double
        /// What a peer was sent by signaling, on average over all, until everybody had joined.
        var messagesPerPeer: Double
    }

    private(set) var rows: [Row] = []
    private let only: String?

    private init(only: String?) { self.only = only }

    private enum CodingKeys: CodingKey { case rows }

    /// - Parameter only: measures the series with this in their names, or all.
    static func measure(runs: Int, seconds: Int, only: String?, _ bench: Bench) async throws -> Growth {
        var growth = Growth(only: only)
        for subscribers in [10, 100, 1000, 3000] {
            let load = Load(subscribers: subscribers, packetsPerSecond: 60, burst: 4)
            try await growth.add("subscribers of one publisher", subscribers, load, runs, seconds, bench)
        }
        for rooms in [1, 100, 1000] {
            // One packet a second: a room where nobody speaks.
            var load = Load(
                rooms: rooms, subscribers: 4, everybody: true, audio: true, packetsPerSecond: 1, payload: 40)
            load.publishers = 4
            try await growth.add("rooms of four", rooms, load, runs, seconds, bench)
        }
        for people in [2, 10, 50] {
            var load = Load(subscribers: people, everybody: true, audio: true, packetsPerSecond: 50, payload: 120)
            load.publishers = people
            try await growth.add("people who all speak", people, load, runs, seconds, bench)
        }
        for shards in [1, 2] {
            let load = Load(subscribers: 100, packetsPerSecond: 300, burst: 4)
            try await growth.add("shards, one room", shards, load, runs, seconds, bench, shards: shards)
        }
        return growth
    }

    private mutating func add(
        _ series: String, _ count: Int, _ load: Load, _ runs: Int, _ seconds: Int, _ bench: Bench, shards: Int = 1
    ) async throws {
        guard only.map({ series.contains($0) }) ?? true else { return }
        let server = try Gateway(bench, shards: shards)
        let empty = server.process.anonymousKiB
        let start = ContinuousClock.now
        let generator = try await server.load(load, bench)
        let joining = (ContinuousClock.now - start) / .seconds(1)
        let messages = try await server.messagesReceived()
        let idle = load.rooms > 1 ? try await Idle.measure(server, generator) : nil
        let measured = try (1...runs).map {
            try generator.measure("\(count) \(series), run \($0) of \(runs)", seconds: seconds)
        }
        let forwarded = try server.packetsForwarded()
        let all = max(forwarded.reduce(0, +), 1)
        let memory = server.process.anonymousKiB - empty
        generator.stop()
        await server.close()
        guard measured.allSatisfy(\.isValid) else {
            throw ChildProcess.Failure(
                description: "\(count) \(series): packets failed authentication, or streams are missing")
        }
        let figures = Figures.medians(of: measured)
        let peers = Double(load.rooms * (load.subscribers + (load.everybody ? 0 : load.publishers)))
        rows.append(
            Row(
                series: series, count: count, packetsPerSecond: figures.packetsPerSecond,
                cpuPerPacket: figures.cpuMicroseconds, latencyP99: figures.latencyP99, loss: figures.loss,
                shares: forwarded.map { $0 / all }, idle: idle,
                kibPerPeer: memory / peers, joinsPerSecond: peers / joining, messagesPerPeer: Double(messages) / peers))
    }

    func print() {
        let head = [
            "", "", "packets/s", "CPU per packet", "p99", "loss", "idle", "alone", "memory per peer", "joins/s",
            "messages per peer", "threads' shares",
        ]
        Table(
            rows: [head]
                + rows.map { row in
                    [
                        row.series, String(row.count), row.packetsPerSecond.text(0), "\(row.cpuPerPacket.text(2)) µs",
                        "\(row.latencyP99.text(1)) ms", "\((row.loss * 100).text(3)) %",
                        row.idle.map { "\(($0.cpu * 100).text(1)) %" } ?? "",
                        row.idle.map { "\(($0.cpuAlone * 100).text(1)) %" } ?? "", "\(row.kibPerPeer.text(0)) KiB",
                        row.joinsPerSecond.text(0), row.messagesPerPeer.text(1),
                        row.shares.count > 1 ? row.shares.map { ($0 * 100).text(0) }.joined(separator: " : ") : "",
                    ]
                }
        ).print()
    }
}
