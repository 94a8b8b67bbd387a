import Foundation

/// Server memory per connected transport, and per added consumer while video flows.
struct MemoryUse: Codable {
    var kibPerTransport: Double
    var kibPerConsumer: Double

    static func run(_ load: Load, transports: Int, added: Int, _ bench: Bench) async throws -> MemoryUse {
        let server = try Gateway(bench)
        var plan = Plan()
        // The first room brings up everything that is there once; its call runs on.
        var small = load
        small.subscribers = 1
        try await server.fill(room: "small", small, &plan)
        let generator = try LoadGenerator(plan.takeText(), watching: server.process, bench)
        _ = try generator.measure("memory, first call", seconds: 1)

        var peers: [GatewayPeer] = []
        for index in 0..<transports {
            let peer = try await server.peer("big-s\(index)", room: "big")
            try await peer.join(consumes: true)
            peers.append(peer)
        }
        let joined = server.process.anonymousKiB
        var numbers: [Int] = []
        for peer in peers {
            numbers.append(
                try plan.addTransport(try await peer.openTransport(producing: false).remote, profile: load.profile))
        }
        try generator.add(plan.takeText())
        let connected = server.process.anonymousKiB

        // What a publisher costs by itself shows in the small room, which has one consumer of it.
        func grow(_ room: String, _ name: String) async throws -> Double {
            let before = server.process.anonymousKiB
            for index in 0..<added { try await server.addPublisher("\(name)\(index)", room: room, load, &plan) }
            if room == "big" {
                for (peer, number) in zip(peers, numbers) {
                    try await peer.client.awaitRequests(added)
                    plan.expect(added, on: number)
                }
            }
            try generator.add(plan.takeText())
            _ = try generator.measure("memory, \(added) publishers more in the \(room) room", seconds: 3)
            return server.process.anonymousKiB - before
        }
        let alone = try await grow("small", "extra")
        let together = try await grow("big", "star")
        generator.stop()
        await server.close()
        return MemoryUse(
            kibPerTransport: (connected - joined) / Double(transports),
            kibPerConsumer: (together - alone) / Double(added * transports - added))
    }
}
