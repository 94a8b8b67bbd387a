import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("ICE through a shard")
struct ConnectivityTests {
    @Test func `an address change is followed by media and reported`() throws {
        let (world, publisher, viewer, _, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(1))
        let old = viewer.peer.localAddress
        let new = world.makeAddress(for: viewer.peer)
        viewer.peer.move(to: new)
        world.run(for: .milliseconds(200))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.packets > 100)
        #expect(stream.main?.ratio == 1)
        #expect(old != new)
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(viewer.statistics?.selectedTuple?.remoteAddress == new.addressText)
        // The publisher moves too: what it sends right after its check is accepted.
        publisher.peer.move(to: world.makeAddress(for: publisher.peer))
        world.run(for: .milliseconds(200))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 100)
        #expect(viewer.iceStates == [.completed])
        #expect(viewer.dtlsStates == [.connecting, .connected])
    }

    @Test func `media on another checked tuple moves the transport, from an unchecked one it is refused`() throws {
        let (world, publisher, _, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        let first = publisher.peer.localAddress
        let second = world.makeAddress(for: publisher.peer)
        publisher.peer.localAddress = second
        publisher.peer.paths = [first]
        world.run(for: .milliseconds(500))
        #expect(world.server.value(.unknownTuple) > 20)
        // Checked without nomination.
        publisher.peer.sendCheck(from: second, nominates: false)
        world.run(for: .milliseconds(100))
        #expect(publisher.peer.confirmedPaths.contains(second))
        let requests = publisher.peer.tracks[0].encodings[0].reportsReceived
        world.run(for: .seconds(2))
        // Reports come to the address that media came from.
        #expect(publisher.peer.tracks[0].encodings[0].reportsReceived > requests)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(publisher.statistics?.selectedTuple?.remoteAddress == second.addressText)
        #expect(stream.faults == [])
    }

    @Test func `an ICE restart keeps the call, and the old credentials end with the new ones' first check`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        let oldCredentials = viewer.credentials
        let newCredentials = ICECredentials.random(using: &viewer.peer.random)
        try viewer.handle.restartICE(viewer.transport, credentials: newCredentials)
        stream.reset()
        // Still with the old ones.
        let before = viewer.peer.checksSucceeded
        viewer.peer.sendCheck(from: viewer.peer.localAddress, nominates: true)
        world.run(for: .milliseconds(100))
        #expect(viewer.peer.checksSucceeded == before + 1)
        viewer.peer.move(to: world.makeAddress(for: viewer.peer))
        viewer.peer.restartICE(newCredentials)
        world.run(for: .seconds(2))
        #expect(viewer.peer.confirmedPaths == [viewer.peer.localAddress])
        #expect((stream.main?.ratio ?? 0) > 0.95)
        #expect(viewer.dtlsStates == [.connecting, .connected])
        #expect(viewer.iceStates == [.completed])
        // The old fragment leads nowhere now.
        world.server.withShard(0) { shard in
            #expect(shard.transportsByUsernameFragment[oldCredentials.usernameFragment] == nil)
            #expect(shard.transportsByUsernameFragment[newCredentials.usernameFragment] != nil)
        }
        let rejected = viewer.peer.checksFailed.count
        viewer.peer.restartICE(oldCredentials)
        world.run(for: .milliseconds(200))
        #expect(viewer.peer.checksFailed.count > rejected)
        #expect(viewer.peer.checksFailed.last == 401)
    }

    @Test func `a silent client is disconnected after its consent, and comes back with a check`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join(consentTimeout: .seconds(10))
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(5))
        viewer.peer.isSilent = true
        world.run(for: .seconds(13))
        #expect(viewer.iceStates == [.completed, .disconnected])
        #expect(publisher.iceStates == [.completed])
        let packets = stream.packets
        world.run(for: .seconds(1))
        #expect(stream.packets == packets)
        world.server.withShard(0) { shard in #expect(shard.tupleNumbers.count == 1) }
        viewer.peer.isSilent = false
        viewer.peer.nextCheck = world.now
        stream.reset()
        world.run(for: .seconds(2))
        #expect(viewer.iceStates == [.completed, .disconnected, .completed])
        #expect(stream.firstPacketIsKeyFrame == true)
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 100)
        #expect(viewer.peer.authenticationFailures == 0)
    }

    @Test func `the socket a client chose is the one it is answered from`() throws {
        let world = try VirtualWorld(sockets: 3)
        let publisher = try world.join(connects: false)
        let viewer = try world.join(connects: false)
        try publisher.connect(socket: 2)
        try viewer.connect(socket: 1)
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        var sources: Set<IPAddressPort> = []
        let server = world.server
        let destination = viewer.peer.localAddress
        world.network.filter = { datagram in
            if datagram.to == destination { sources.insert(datagram.from) }
            return datagram
        }
        world.run(for: .seconds(1))
        #expect(sources == [server.addresses[0][1]])
        #expect(stream.main?.ratio == 1)
        #expect(viewer.selectedTuples.first??.localAddress == "10.0.0.2")
        // And a change of socket.
        let second = try #require(world.server.handle.endpoints.first?.addresses[0])
        viewer.peer.connect(
            to: .init(
                credentials: viewer.credentials,
                address: try #require(IPAddressPort(text: second.address, port: second.port)),
                fingerprint: try #require(viewer.peer.remote?.fingerprint)))
        world.run(for: .milliseconds(100))
        sources = []
        world.run(for: .milliseconds(500))
        #expect(sources == [server.addresses[0][0]])
    }

    @Test func `an address that the server gets later serves as those before`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join(connects: false)
        let later = IPAddressPort(ipv4: 0x0A63_0007, port: 40_000)
        world.server.listen(on: later, shard: 0)
        try viewer.tellServer()
        let certificate = try #require(world.server.handle.fingerprints.first { $0.algorithm == .sha256 })
        viewer.peer.connect(to: .init(credentials: viewer.credentials, address: later, fingerprint: certificate))
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        #expect(stream.packets > 50 && stream.main?.ratio == 1)
        #expect(viewer.selectedTuples.first??.localAddress == "10.99.0.7")
    }

    @Test(arguments: [false, true])
    func `a client whose media goes on is there without checks, and is gone once that ends`(sends: Bool) throws {
        let (world, publisher, viewer, _, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(1))
        let member = sends ? publisher : viewer
        member.peer.sendsChecks = false
        // Each in its own way: one packet of sound every 20 ms, or one receiver report a second.
        world.run(for: .seconds(100))
        #expect(member.iceStates == [.completed])
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
        member.peer.isSilent = true
        world.run(for: .seconds(28))
        #expect(member.iceStates == [.completed])
        world.run(for: .seconds(3))
        #expect(member.iceStates == [.completed, .disconnected])
    }

    @Test func `datagrams that nobody could authenticate keep no client alive`() throws {
        let (world, _, viewer, _, _) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        viewer.peer.isSilent = true
        let shard = try #require(viewer.transport.shard as Int?)
        for _ in 0..<35 {
            for first in [UInt8(0x80), 0x16] {
                var bytes = [UInt8](repeating: 7, count: 60)
                bytes[0] = first
                world.inject(bytes, from: viewer.peer.localAddress, shard: shard)
                bytes[1] = 200
                world.inject(bytes, from: viewer.peer.localAddress, shard: shard)
            }
            world.run(for: .seconds(1))
        }
        #expect(viewer.iceStates == [.completed, .disconnected])
    }

    @Test func `a viewer whose NAT gives it another port goes on receiving without nominating again`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(10))
        let new = world.makeAddress(for: viewer.peer)
        viewer.peer.nominates = false
        viewer.peer.move(to: new)
        world.run(for: .seconds(5))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 100)
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(viewer.statistics?.selectedTuple?.remoteAddress == new.addressText)
        #expect(viewer.iceStates == [.completed])
    }

    @Test func `a viewer heard by its reports alone is followed to a checked address`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(10))
        let new = world.makeAddress(for: viewer.peer)
        viewer.peer.sendCheck(from: new, nominates: false)
        viewer.peer.sendsChecks = false
        viewer.peer.localAddress = new
        world.run(for: .seconds(5))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 100)
    }

    @Test func `two paths that are both checked do not take turns`() throws {
        let (world, _, viewer, _, _) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        let first = viewer.peer.localAddress
        viewer.peer.paths = [first, world.makeAddress(for: viewer.peer)]
        viewer.peer.reportInterval = .seconds(5)
        for _ in 0..<30 {
            world.run(for: .seconds(1))
            try viewer.collectStatistics()
            world.run(for: .milliseconds(10))
            #expect(viewer.statistics?.selectedTuple?.remoteAddress == first.addressText)
        }
    }

    @Test func `an address may pass from one transport to another`() throws {
        let world = try VirtualWorld()
        let first = try world.join()
        #expect(world.connectAll())
        let address = first.peer.localAddress
        // The same machine and port come back with a new transport before the old one is closed.
        let second = try world.join(connects: false)
        second.peer.localAddress = address
        second.peer.paths = [address]
        first.peer.sendsChecks = false
        world.adopt(address, by: second.peer)
        try second.connect()
        #expect(world.run(atMost: .seconds(5)) { second.peer.isConnected })
        // It may be heard from elsewhere yet, and ends when its time is over.
        #expect(first.iceStates == [.completed])
        #expect(first.successors == [second.transport])
        world.run(for: .seconds(31))
        #expect(first.iceStates == [.completed, .disconnected])
        #expect(second.iceStates == [.completed])
        world.remove(first)
        let track = second.peer.addTrack(.audio)
        try second.publish(track)
        let viewer = try world.join()
        world.connectAll()
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
        world.server.withShard(0) { shard in #expect(shard.tupleNumbers.count == 2) }
    }

    @Test func `more addresses than a transport keeps do not pile up`() throws {
        let (world, publisher, _, _, stream) = try makeCall(shards: 1)
        for _ in 0..<30 {
            publisher.peer.move(to: world.makeAddress(for: publisher.peer))
            world.run(for: .milliseconds(100))
        }
        world.server.withShard(0) { shard in
            #expect(shard.tupleNumbers.count <= 9)
            #expect(shard.tuples.count - shard.freeTuples.count == shard.tupleNumbers.count)
        }
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
    }
}
