import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Where nobody speaks")
struct IdleTests {
    /// Rooms of four who are connected, may speak and hear each other, and are silent. Their clients send nothing at all.
    private func silentRooms(_ count: Int, kinds: [MediaKind], limits: BitrateLimits? = nil) throws -> VirtualWorld {
        let world = try VirtualWorld()
        for _ in 0..<count {
            let members = try (0..<4).map { _ in try world.join(limits: limits) }
            for member in members {
                member.peer.reportInterval = .seconds(10_000)
                for kind in kinds {
                    let track = member.peer.addTrack(kind)
                    track.isSending = false
                    try member.publish(track)
                }
            }
            for member in members {
                for other in members where other !== member {
                    for track in other.peer.tracks { _ = try member.subscribe(to: track) }
                }
            }
        }
        #expect(world.connectAll())
        for member in world.members { member.peer.sendsChecks = false }
        return world
    }

    /// How often the server has something to do by itself.
    private func wakes(of world: VirtualWorld, within duration: MediaDuration) -> Int {
        let end = world.now + duration
        var wakes = 0
        while let next = world.server.nextDeadline, next < end {
            world.run(for: max(next - world.now, .milliseconds(1)))
            wakes += 1
        }
        return wakes
    }

    @Test(arguments: [false, true])
    func `twenty-five silent rooms are sent nothing, and wake the server a few times a second`(isBound: Bool) throws {
        let world = try silentRooms(25, kinds: [.audio], limits: isBound ? BitrateLimits() : nil)
        world.run(for: .seconds(12))
        let sent = world.server.datagramsSent
        let woken = wakes(of: world, within: .seconds(10))
        #expect(world.server.datagramsSent == sent)
        #expect(woken <= 50, "woken \(woken) times in 10 s")
        // Nobody was given up meanwhile.
        #expect(world.members.allSatisfy { $0.peer.isConnected && !$0.iceStates.contains(.disconnected) })
    }

    @Test func `sound waits for no key frame`() throws {
        let world = try silentRooms(1, kinds: [.audio])
        world.run(for: .seconds(1))
        #expect(world.server.withShard(0) { $0.wishing.isEmpty && $0.nextWish == nil })
        let watched = try silentRooms(1, kinds: [.video])
        watched.run(for: .seconds(1))
        // Four who each see three.
        #expect(watched.server.withShard(0) { $0.wishing.count } == 12)
    }

    @Test func `a video that falls silent costs nothing, bound by its network or not, and comes back`() throws {
        for limits in [nil, BitrateLimits()] {
            let world = try VirtualWorld()
            let members = try (0..<2).map { _ in try world.join(limits: limits) }
            for member in members { member.peer.reportInterval = .seconds(10_000) }
            #expect(world.connectAll())
            let track = members[0].peer.addTrack(.video)
            try members[0].publish(track)
            let stream = try members[1].subscribe(to: track)
            members[1].peer.givesFeedback = limits != nil
            world.run(for: .seconds(4))
            #expect(world.server.withShard(0) { $0.bandwidths.count } == (limits == nil ? 0 : 1))
            track.isSending = false
            world.run(for: .seconds(8))
            for member in members { member.peer.sendsChecks = false }
            let (sent, received) = (world.server.datagramsSent, stream.packets)
            let woken = wakes(of: world, within: .seconds(10))
            #expect(world.server.datagramsSent == sent)
            #expect(woken <= 50, "woken \(woken) times in 10 s")
            track.isSending = true
            world.run(for: .seconds(2))
            #expect(stream.packets >= received + 150)
        }
    }

    @Test(arguments: [1, 2])
    func `a client that speaks after a silence gets and causes reports at once, with rates of now`(shards: Int) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: shards)
        for member in [publisher, viewer] { member.peer.reportInterval = .seconds(10_000) }
        world.run(for: .seconds(5))
        track.isSending = false
        world.run(for: .seconds(10))
        let (received, sent) = (track.encodings[0].reportsReceived, stream.senderReports)
        let reports = world.server.value(.reportsSent)
        world.run(for: .seconds(60))
        #expect(world.server.value(.reportsSent) == reports)
        track.isSending = true
        world.run(for: .milliseconds(1100))
        #expect(track.encodings[0].reportsReceived > received)
        #expect(stream.senderReports > sent)
        world.run(for: .milliseconds(900))
        try publisher.collectStatistics()
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        // 30 frames of three packets a second: about 400 kb/s.
        let rate: ClosedRange<UInt64> = 250_000...600_000
        #expect(publisher.statistics.map { rate.contains($0.bitrates.rtpReceived) } == true)
        #expect(viewer.statistics.map { rate.contains($0.bitrates.rtpSent) } == true)
    }

    @Test func `a sender that only reports is answered, so that it knows its round trip`() throws {
        let (world, publisher, _, track, _) = try makeCall(shards: 1)
        world.network.conditions.delay = .milliseconds(40)
        world.run(for: .seconds(3))
        track.isSending = false
        world.run(for: .seconds(30))
        let received = track.encodings[0].reportsReceived
        world.run(for: .seconds(10))
        #expect(track.encodings[0].reportsReceived >= received + 4)
        publisher.peer.reportInterval = .seconds(10_000)
        world.run(for: .seconds(12))
        let last = track.encodings[0].reportsReceived
        world.run(for: .seconds(20))
        #expect(track.encodings[0].reportsReceived == last)
    }

    @Test(arguments: [1, 2]) func `a stream that stops gives its memory back on every shard`(shards: Int) throws {
        let (world, publisher, viewer, track, _) = try makeCall(shards: shards)
        #expect((publisher.transport.shard != viewer.transport.shard) == (shards > 1))
        world.run(for: .seconds(3))
        func holding() -> Int {
            (0..<shards).reduce(0) { count, shard in
                count
                    + world.server.withShard(shard) { shard in
                        shard.feeds.slots.count { shard.feeds[$0].cache.holdsMemory }
                    }
            }
        }
        // Where the viewer is; the publisher's shard keeps what is young after a key frame only.
        #expect(holding() > 0)
        track.isSending = false
        world.run(for: .seconds(5))
        #expect(holding() == 0)
        for shard in 0..<shards { #expect(world.server.withShard(shard) { $0.nextSweep == nil }) }
    }

    @Test func `a place in a command queue takes no more than four words`() {
        #expect(MemoryLayout<MediaCommand>.stride <= 32)
    }
}
