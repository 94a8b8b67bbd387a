import Foundation

/// What connecting costs the server, and whether a running call notices that many others arrive.
struct SetUpCost: Codable {
    /// Server CPU of one ICE check and DTLS handshake.
    var millisecondsPerHandshake: Double
    /// Transports, each with a consumer, made in a second.
    var createdPerSecond: Double
    /// Server CPU of making one of them, the call that runs beside included.
    var millisecondsPerTransport: Double
    /// Of the call that ran at the same time; of one.
    var lossMeanwhile: Double

    static func run(_ load: Load, handshakes: Int, transports: Int, _ bench: Bench) async throws -> SetUpCost {
        let server = try Gateway(bench)
        var plan = Plan()
        var call = load
        call.subscribers = 10
        try await server.fill(room: "call", call, &plan)
        let generator = try LoadGenerator(plan.takeText(), watching: server.process, bench)

        let perPeer = 8
        for index in 0..<handshakes / perPeer {
            let peer = try await server.peer("many\(index)", room: "crowd")
            try await peer.join(consumes: false)
            for _ in 0..<perPeer {
                let transport = try await peer.openTransport(producing: false)
                _ = try plan.addTransport(transport.remote, profile: load.profile)
            }
        }
        let before = server.process.cpuSeconds
        try generator.add(plan.takeText())
        let handshakeSeconds = server.process.cpuSeconds - before

        let crowd = try await Crowd(server, rooms: 100, people: transports)
        generator.begin(seconds: 4, warmUp: 0.5)
        try await Task.sleep(for: .milliseconds(1500))
        let (start, cpu) = (ContinuousClock.now, server.process.cpuSeconds)
        try await crowd.arrive(load)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpuSeconds = server.process.cpuSeconds - cpu
        let run = try generator.end("set-up")
        generator.stop()
        await server.close()
        guard run.isValid else { throw ChildProcess.Failure(description: "the run is not valid: \(run.summary)") }
        return SetUpCost(
            millisecondsPerHandshake: handshakeSeconds / Double(handshakes / perPeer * perPeer) * 1000,
            createdPerSecond: Double(transports) / seconds,
            millisecondsPerTransport: cpuSeconds / Double(transports) * 1000, lossMeanwhile: run.loss)
    }
}

/// People who have joined rooms, and then all open a transport and get a consumer at the same time.
private struct Crowd: Sendable {
    private var listeners: [GatewayPeer] = []
    private var speakers: [GatewayPeer] = []
    private var outgoing: [String] = []

    init(_ server: Gateway, rooms: Int, people: Int) async throws {
        for room in 0..<rooms {
            let speaker = try await server.peer("speaker", room: "crowd\(room)")
            try await speaker.join(consumes: false)
            speakers.append(speaker)
            outgoing.append(try await speaker.openTransport(producing: true).id)
        }
        for index in 0..<people {
            let listener = try await server.peer("listener\(index)", room: "crowd\(index % rooms)")
            try await listener.join(consumes: true)
            listeners.append(listener)
        }
    }

    func arrive(_ load: Load) async throws {
        try await atOnce(listeners) { _ = try await $1.openTransport(producing: false) }
        try await atOnce(speakers) { try await $1.produce(on: outgoing[$0], ssrcs: [1 + $0], audio: load.audio) }
        try await atOnce(listeners) { try await $1.client.awaitRequests(1) }
    }

    private func atOnce(
        _ peers: [GatewayPeer], _ step: @escaping @Sendable (Int, GatewayPeer) async throws -> Void
    ) async throws {
        let lanes = 32
        try await withThrowingTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask {
                    for index in stride(from: lane, to: peers.count, by: lanes) { try await step(index, peers[index]) }
                }
            }
            try await group.waitForAll()
        }
    }
}
