import Foundation

/// What connecting costs the server, and whether a running call notices that many others arrive.
struct SetUpCost: Codable {
    /// Server CPU of one ICE check and DTLS handshake.
    var millisecondsPerHandshake: Double
    /// Transports, each with one consumer, that one core made in a second.
    var createdPerSecond: Double
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

        try await server.addPublisher("speaker", room: "arrivals", load, &plan)
        var peers: [GatewayPeer] = []
        for index in 0..<transports { peers.append(try await server.peer("arrival\(index)", room: "arrivals")) }
        generator.begin(seconds: 4, warmUp: 0.5)
        try await Task.sleep(for: .milliseconds(1500))
        let start = ContinuousClock.now
        let lanes = 16
        try await withThrowingTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask { [peers] in
                    for index in stride(from: lane, to: peers.count, by: lanes) {
                        _ = try await peers[index].openTransport(producing: false)
                        try await peers[index].join(consumes: true)
                        try await peers[index].client.awaitRequests(1)
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let run = try generator.end("set-up")
        generator.stop()
        await server.close()
        guard run.isValid else { throw ChildProcess.Failure(description: "the run is not valid: \(run.summary)") }
        return SetUpCost(
            millisecondsPerHandshake: handshakeSeconds / Double(handshakes / perPeer * perPeer) * 1000,
            createdPerSecond: Double(transports) / seconds, lossMeanwhile: run.loss)
    }
}
