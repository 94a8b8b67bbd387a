import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Transports over TCP")
struct TCPTransportTests {
    /// Alice sends sound and pictures over UDP, Bob gets both over TCP, Carol over UDP.
    private struct Call {
        let world: VirtualWorld
        let alice: VirtualMember
        let bob: VirtualMember
        let carol: VirtualMember
        var bobs: (audio: SubscribedStream, video: SubscribedStream)
        var carols: SubscribedStream

        init(shards: Int = 1, segmentSize: Int = .max, seed: UInt64 = 1) throws {
            world = try VirtualWorld(shards: shards, seed: seed)
            world.server.segmentSize = segmentSize
            alice = try world.join()
            bob = try world.join(connects: false, limits: BitrateLimits())
            carol = try world.join()
            world.server.overTCP.insert(bob.peer.localAddress)
            bob.peer.givesFeedback = true
            try bob.connect()
            #expect(world.connectAll())
            let sound = alice.peer.addTrack(.audio)
            let picture = alice.peer.addTrack(.video, layered: LayeredVideo(temporalLayers: 3))
            try alice.publish(sound)
            try alice.publish(picture)
            bobs = (try bob.subscribe(to: sound), try bob.subscribe(to: picture))
            carols = try carol.subscribe(to: picture)
        }

        var stream: VirtualStream? { world.server.streams.first { $0.remote == bob.peer.localAddress } }

        func reset() {
            for stream in [bobs.audio, bobs.video, carols] { stream.reset() }
        }

        func tuple(of member: VirtualMember) throws -> TransportTuple? {
            try member.collectStatistics()
            world.run(for: .milliseconds(10))
            return member.statistics?.selectedTuple
        }
    }

    @Test(arguments: [(1, Int.max), (2, Int.max), (1, 1), (1, 700)])
    func `a call over TCP is as one over UDP, however its segments are cut`(shards: Int, segmentSize: Int) throws {
        let call = try Call(shards: shards, segmentSize: segmentSize)
        call.world.run(for: .seconds(2))
        call.reset()
        call.world.run(for: .seconds(3))
        #expect(call.bobs.audio.packets > 100 && call.bobs.audio.main?.ratio == 1)
        #expect(call.bobs.video.packets > 100 && call.bobs.video.main?.ratio == 1)
        #expect(call.bobs.audio.faults == [] && call.bobs.video.faults == [])
        let tuple = try #require(try call.tuple(of: call.bob))
        #expect(tuple.transport == .tcp && tuple.remoteAddress == call.bob.peer.localAddress.addressText)
        #expect(tuple.localPort == call.world.server.addresses[call.bob.transport.shard][0].port)
        #expect(try call.tuple(of: call.carol)?.transport == .udp)
        #expect(call.world.server.value(.tcpConnectionsAccepted) == 1)
        #expect(call.bob.peer.feedback.received == 0 && call.world.server.drops.isEmpty, "\(call.world.server.drops)")
        // It says goodbye, and its connection ends.
        call.bob.leave()
        call.world.run(for: .milliseconds(100))
        #expect(call.bob.peer.progress == .closed)
        #expect(call.world.server.streams.isEmpty && call.world.server.value(.tcpConnectionsClosed) == 1)
        call.world.server.withShard(call.bob.transport.shard) { #expect($0.connections.all.count == 0) }
    }

    @Test func `a client that sends over TCP is received as well`() throws {
        let world = try VirtualWorld()
        let alice = try world.join(connects: false)
        let bob = try world.join()
        world.server.overTCP.insert(alice.peer.localAddress)
        world.server.segmentSize = 1_000
        try alice.connect()
        #expect(world.connectAll())
        let track = alice.peer.addTrack(.video)
        try alice.publish(track)
        let stream = try bob.subscribe(to: track)
        world.run(for: .seconds(3))
        #expect(stream.packets > 100 && stream.main?.ratio == 1 && stream.faults == [])
        #expect(world.server.drops.isEmpty, "\(world.server.drops)")
    }

    @Test func `a receiver whose connection takes little keeps its sound and fewer pictures, and others all`() throws {
        let call = try Call()
        call.world.run(for: .seconds(3))
        call.stream?.rate = 250_000
        call.world.run(for: .seconds(5))
        call.reset()
        call.world.run(for: .seconds(10))
        #expect((call.bobs.audio.main?.ratio ?? 0) > 0.99 && call.bobs.audio.packets > 480)
        #expect(call.bobs.video.packets > 20)
        #expect(call.carols.main?.ratio == 1)
        #expect(call.world.server.value(.tcpQueueAudio) == 0)
        #expect(call.world.server.value(.tcpQueueControl) == 0)
        try call.bob.collectStatistics()
        call.world.run(for: .milliseconds(50))
        let state = try #require(call.bob.statistics?.bandwidth)
        #expect(state.estimate < 320_000, "\(state)")
        // What waits is bounded.
        call.world.server.withShard(0) { shard in
            for connection in shard.connections.all.slots {
                #expect(shard.connections.all[connection].queue.count < TCPSendQueue.capacity * 5 / 4)
            }
        }
        // More room, more pictures.
        call.stream?.rate = nil
        call.world.run(for: .seconds(20))
        call.reset()
        call.world.run(for: .seconds(3))
        #expect(call.bobs.video.main?.ratio == 1 && call.bobs.video.packets > 100)
        #expect(call.bobs.audio.faults == [] && call.bobs.video.faults == [])
    }

    @Test func `what a slow connection showed is decided again to the last bit`() throws {
        let call = try Call()
        call.world.run(for: .seconds(2))
        try call.world.server.handle.recordBandwidth(of: call.bob.transport, true)
        call.world.run(for: .milliseconds(100))
        call.stream?.rate = 150_000
        call.world.run(for: .seconds(6))
        let recording = try #require(
            call.world.server.withShard(0) { shard in
                shard.bandwidths.slots.compactMap { shard.bandwidths[$0].recording(at: shard.now) }.first
            })
        var estimates: [UInt64] = []
        let replay = try BandwidthReplay(recording) { estimates.append($0.state.estimate) }
        #expect(replay.firstDifference == nil && replay.bytes == recording)
        #expect((estimates.first ?? 0) > 300_000 && (estimates.last ?? .max) < 250_000)
    }

    @Test func `a receiver whose connection takes nothing any more costs nobody anything, and no more memory`() throws {
        let call = try Call()
        call.world.run(for: .seconds(2))
        call.stream?.rate = 1
        call.world.run(for: .seconds(5))
        call.reset()
        call.world.run(for: .seconds(5))
        #expect(call.carols.main?.ratio == 1 && call.carols.packets > 200)
        #expect(call.world.server.value(.tcpQueueVideo) > 50)
        call.world.server.withShard(0) { shard in
            for connection in shard.connections.all.slots {
                let most = TCPSendQueue.capacity + TCPSendQueue.controlCapacity + TCPFrameReader.longest
                #expect(shard.connections.all[connection].queue.count <= most)
            }
        }
    }

    @Test func `from UDP to TCP and back by ICE restarts, media returns with the first checks`() throws {
        let world = try VirtualWorld()
        let alice = try world.join()
        let bob = try world.join()
        #expect(world.connectAll())
        let track = alice.peer.addTrack(.video)
        try alice.publish(track)
        let stream = try bob.subscribe(to: track)
        world.run(for: .seconds(1))
        for transport in [CandidateTransport.tcp, .udp, .tcp] {
            let credentials = ICECredentials.random(using: &bob.peer.random)
            try bob.handle.restartICE(bob.transport, credentials: credentials)
            let address = world.makeAddress(for: bob.peer)
            if transport == .tcp { world.server.overTCP.insert(address) }
            bob.peer.move(to: address)
            bob.peer.restartICE(credentials)
            world.run(for: .milliseconds(300))
            stream.reset()
            world.run(for: .seconds(2))
            #expect(stream.packets > 100 && stream.main?.ratio == 1, "\(transport)")
            try bob.collectStatistics()
            world.run(for: .milliseconds(10))
            #expect(bob.statistics?.selectedTuple?.transport == transport)
        }
        #expect(bob.iceStates == [.completed] && bob.dtlsStates == [.connecting, .connected])
    }

    @Test func `a connection that breaks leaves its transport to the tuple that is left`() throws {
        let call = try Call()
        call.world.run(for: .seconds(1))
        // A second path, over UDP, that is checked and not nominated.
        let spare = call.world.makeAddress(for: call.bob.peer)
        call.bob.peer.sendCheck(from: spare, nominates: false)
        call.world.run(for: .milliseconds(100))
        #expect(try call.tuple(of: call.bob)?.transport == .tcp)
        call.world.server.disconnect(call.bob.peer.localAddress)
        call.world.run(for: .milliseconds(20))
        #expect(try call.tuple(of: call.bob)?.remoteAddress == spare.addressText)
        #expect(call.world.server.streams.isEmpty)
        // The client connects again, and goes on.
        call.world.run(for: .seconds(3))
        call.reset()
        call.world.run(for: .seconds(1))
        #expect(call.bobs.video.packets > 30 && call.bob.iceStates == [.completed])
        #expect(call.world.server.value(.tcpConnectionsAccepted) == 2)
    }

    @Test func `what a client sent over TCP before it went over to UDP does not lead back`() throws {
        let world = try VirtualWorld()
        let alice = try world.join(connects: false)
        world.server.overTCP.insert(alice.peer.localAddress)
        try alice.connect()
        #expect(world.connectAll())
        let track = alice.peer.addTrack(.video)
        try alice.publish(track)
        world.run(for: .seconds(1))
        // Checks come by UDP, media still by TCP.
        let udp = world.makeAddress(for: alice.peer)
        alice.peer.sendCheck(from: udp, nominates: true)
        world.run(for: .milliseconds(200))
        try alice.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(alice.statistics?.selectedTuple?.transport == .udp)
        // Without checks by UDP for a while, it is reached by the way that its media takes.
        world.run(for: .seconds(6))
        try alice.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(alice.statistics?.selectedTuple?.transport == .tcp)
    }

    @Test func `whoever does not begin with a check for a transport is sent away`() throws {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let server = world.server
        let local = server.addresses[0][0]
        var check = STUNBindingRequest(
            transactionID: STUNTransactionID(high: 1, low: 1), username: "nobody:here", priority: 1, controlling: 1)
        check.hasUseCandidate = true
        let foreign = try WireSamples.written { (writer) throws(WireError) in
            try check.write(into: &writer, key: HMACSHA1Key(password: "none"))
        }
        check.username = member.credentials.usernameFragment + ":x"
        let wrong = try WireSamples.written { (writer) throws(WireError) in
            try check.write(into: &writer, key: HMACSHA1Key(password: "wrong"))
        }
        let firsts: [(bytes: [UInt8], counter: Int)] = [
            (VirtualStream.frame(foreign), 1), (VirtualStream.frame([UInt8](repeating: 0x80, count: 100)), 1),
            (VirtualStream.frame([22, 254, 253] + [UInt8](repeating: 0, count: 60)), 1),
            (VirtualStream.frame(wrong + [UInt8](repeating: 0, count: 700)), 1),
            (Array("GET / HTTP/1.1\r\n\r\n".utf8), 0), ([0, 5, 1, 2, 3, 4, 5], 0),
        ]
        for (index, first) in firsts.enumerated() {
            let remote = IPAddressPort(ipv4: 0x0909_0900 + UInt32(index), port: 7)
            let connection = try #require(server.connect(from: remote, to: local))
            server.receive(first.bytes, on: connection)
            #expect(!server.streams.contains { $0.remote == remote }, "\(index)")
        }
        #expect(server.value(.tcpConnectionsMisused) == 4 && server.value(.malformedTCP) == 2)
        // A wrong password is answered, and is no check; neither is silence. Both end with their time.
        let guessing = IPAddressPort(ipv4: 0x0909_0990, port: 7)
        world.listen(on: guessing)
        let connection = try #require(server.connect(from: guessing, to: local))
        _ = try #require(server.connect(from: IPAddressPort(ipv4: 0x0909_0991, port: 7), to: local))
        server.receive(VirtualStream.frame(wrong), on: connection)
        world.run(for: .milliseconds(100))
        #expect(world.takeMail(of: guessing).count == 1)
        #expect(server.streams.count == 2)
        world.run(for: .seconds(11))
        #expect(server.streams.isEmpty && server.value(.tcpConnectionsExpired) == 2)
        #expect(member.iceStates == [.completed])
    }

    @Test func `five thousand silent connections are bounded, and a client gets in beside them`() throws {
        let world = try VirtualWorld()
        let member = try world.join(connects: false)
        world.run(for: .milliseconds(10))
        var refused = 0
        for index in 0..<5_000 {
            let remote = IPAddressPort(ipv4: 0x0909_0000 + UInt32(index / 2), port: UInt16(index % 2 + 1))
            if world.server.connect(from: remote, to: world.server.addresses[0][0]) == nil { refused += 1 }
        }
        #expect(refused == 5_000 - TCPAdmission.burst)
        #expect(world.server.value(.tcpConnectionsRefused) == UInt64(refused))
        world.run(for: .seconds(1))
        world.server.overTCP.insert(member.peer.localAddress)
        try member.connect()
        #expect(world.connectAll())
        world.run(for: .seconds(10))
        #expect(world.server.streams.count == 1)
        #expect(world.server.value(.tcpConnectionsExpired) == UInt64(TCPAdmission.burst))
    }

    @Test func `a connection may be cut at any byte of a handshake, and the next one goes on`() throws {
        let world = try VirtualWorld(seed: 3)
        let member = try world.join(connects: false)
        world.server.overTCP.insert(member.peer.localAddress)
        try member.connect()
        var random = SplitMix(seed: 9)
        for _ in 0..<20 {
            world.run(for: .milliseconds(Int(random.next() % 4) + 1))
            if let stream = world.server.streams.first,
                let number = world.server.withShard(0, { $0.connections.all.slots.first })
            {
                world.server.receive([0], on: (0, TCPConnections.number(of: number)))
                world.server.disconnect(stream.remote)
            }
        }
        #expect(world.connectAll(within: .seconds(20)))
        #expect(world.server.value(.tcpConnectionsAccepted) > 1)
    }

    @Test func `a shard that goes on elsewhere leaves its connections, and clients come back by new ones`() throws {
        let call = try Call()
        call.world.run(for: .seconds(1))
        try call.world.server.replaceShard(0, at: call.world.now)
        #expect(call.world.server.streams.isEmpty)
        call.world.run(for: .seconds(4))
        call.reset()
        call.world.run(for: .seconds(2))
        #expect(call.bobs.video.packets > 50 && call.bobs.audio.packets > 80)
        #expect(call.carols.main?.ratio == 1)
        #expect(call.bob.iceStates == [.completed])
        #expect(try call.tuple(of: call.bob)?.transport == .tcp)
    }
}
