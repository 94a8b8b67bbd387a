import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("One port for all shards")
struct SharedPortTests {
    /// Eight in a room of three shards: everybody sends sound and pictures to the next one.
    private func room(overTCP: Bool = false, seed: UInt64 = 1) throws -> (
        world: VirtualWorld, members: [VirtualMember], streams: [SubscribedStream]
    ) {
        let world = try VirtualWorld(shards: 3, sharesPort: true, seed: seed)
        let members = try (0..<8).map { _ in try world.join(connects: false) }
        for member in members {
            if overTCP { world.server.overTCP.insert(member.peer.localAddress) }
            try member.connect()
        }
        #expect(world.connectAll(within: .milliseconds(900)), "without waiting for anything to be sent again")
        var streams: [SubscribedStream] = []
        for (index, member) in members.enumerated() {
            let tracks = [member.peer.addTrack(.audio), member.peer.addTrack(.video)]
            for track in tracks {
                try member.publish(track)
                streams.append(try members[(index + 1) % members.count].subscribe(to: track))
            }
        }
        return (world, members, streams)
    }

    @Test(arguments: [1, 2, 3]) func `clients of all shards come by one port, and nothing is missing`(seed: UInt64)
        throws
    {
        let (world, members, streams) = try room(seed: seed)
        #expect(Set(members.map(\.transport.shard)).count == 3)
        #expect(Set(world.server.handle.endpoints.flatMap(\.addresses).map(\.port)).count == 1)
        world.run(for: .seconds(2))
        for stream in streams { stream.reset() }
        world.run(for: .seconds(5))
        for stream in streams { #expect(stream.packets > 100 && stream.main?.ratio == 1 && stream.faults == []) }
        #expect(world.server.value(.datagramsHandedOn) > 1000 && world.server.drops.isEmpty, "\(world.server.drops)")
        // They check for longer than a claim lasts.
        world.run(for: .seconds(90))
        #expect(members.allSatisfy(\.peer.isConnected) && world.server.drops.isEmpty, "\(world.server.drops)")
    }

    @Test func `a connection goes to the shard that its first check names`() throws {
        let (world, members, streams) = try room(overTCP: true)
        world.run(for: .seconds(2))
        for stream in streams { stream.reset() }
        world.run(for: .seconds(5))
        for stream in streams { #expect(stream.packets > 100 && stream.main?.ratio == 1 && stream.faults == []) }
        #expect(world.server.value(.tcpConnectionsHandedOn) > 0 && world.server.drops.isEmpty)
        for member in members { member.leave() }
        world.run(for: .milliseconds(100))
        #expect(world.server.streams.isEmpty)
        for shard in 0..<3 { world.server.withShard(shard) { #expect($0.connections.all.count == 0) } }
    }

    @Test func `a client that moves to another address is found again`() throws {
        let (world, members, streams) = try room()
        world.run(for: .seconds(1))
        for member in members { member.peer.move(to: world.makeAddress(for: member.peer)) }
        world.run(for: .seconds(10))
        for stream in streams { stream.reset() }
        world.run(for: .seconds(3))
        for stream in streams { #expect(stream.packets > 50 && stream.main?.ratio == 1) }
    }

    @Test func `an address may pass from a transport of one shard to one of a different shard`() throws {
        let world = try VirtualWorld(shards: 2, sharesPort: true)
        var superseded = 0
        for round in 0..<8 {
            // So that the address comes to either shard's socket.
            if round == 4 { _ = world.makeAddress() }
            let first = try world.join()
            #expect(world.run(atMost: .seconds(2)) { first.peer.isConnected })
            let second = try world.join(connects: false)
            try #require(second.transport.shard != first.transport.shard)
            let address = first.peer.localAddress
            second.peer.localAddress = address
            second.peer.paths = [address]
            first.peer.sendsChecks = false
            world.adopt(address, by: second.peer)
            try second.connect()
            #expect(world.run(atMost: .milliseconds(900)) { second.peer.isConnected })
            // Where the address was the socket's own shard's, the old transport's room learns what replaced it.
            #expect(first.successors.isEmpty || first.successors == [second.transport])
            superseded += first.successors.count
            world.remove(first)
            world.remove(second)
            world.run(for: .milliseconds(100))
        }
        #expect(superseded > 0 && superseded < 8)
    }

    @Test func `a check with a wrong password leads nobody's packets astray`() throws {
        let (world, members, streams) = try room()
        world.run(for: .seconds(2))
        for stream in streams { stream.reset() }
        // In the name of every other one, from each client's address.
        for victim in members {
            for other in members where other !== victim {
                let check = STUNBindingRequest(
                    transactionID: STUNTransactionID(high: 1, low: 1),
                    username: other.credentials.usernameFragment + ":x", priority: 1, controlling: 1)
                let bytes = try WireSamples.written { (writer) throws(WireError) in
                    try check.write(into: &writer, key: HMACSHA1Key(password: "wrong"))
                }
                world.inject(bytes, from: victim.peer.localAddress)
            }
        }
        world.run(for: .seconds(5))
        for stream in streams { #expect(stream.packets > 100 && stream.main?.ratio == 1 && stream.faults == []) }
    }

    @Test func `what no shard has claimed is dropped once, by whoever got it`() throws {
        let (world, _, _) = try room()
        let before = world.server.value(.unknownTuple)
        for _ in 0..<300 {
            world.inject([0x80, 111] + [UInt8](repeating: 7, count: 40), from: world.makeAddress())
            world.inject([22, 254, 253] + [UInt8](repeating: 0, count: 30), from: world.makeAddress())
        }
        world.run(for: .milliseconds(100))
        #expect(world.server.value(.unknownTuple) == before + 600)
        for shard in 0..<3 { world.server.withShard(shard) { #expect($0.otherTuples.count <= 8) } }
    }
}
