import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Shards that are written down and continued by others, while their clients are in a call.
@Suite("ShardSnapshot")
struct ShardSnapshotTests {
    /// A room of three: one sends sound and a picture in two encodings, the others see and hear it; one of them talks too.
    private final class Call {
        let world: VirtualWorld
        let members: [VirtualMember]
        let streams: [SubscribedStream]
        private var random: SplitMix

        init(seed: UInt64, shards: Int) throws {
            world = try VirtualWorld(shards: shards, seed: seed)
            random = SplitMix(seed: seed &+ 77)
            let members = try (0..<3).map { [world] _ in try world.join() }
            self.members = members
            try #require(world.connectAll())
            let tracks = [
                members[0].peer.addTrack(.audio), members[0].peer.addTrack(.video), members[1].peer.addTrack(.audio),
            ]
            tracks[1].video.packetsPerFrame = 3
            var streams: [SubscribedStream] = []
            for (index, track) in tracks.enumerated() {
                let sender = members[index / 2]
                try sender.publish(track)
                for member in members where member !== sender { streams.append(try member.subscribe(to: track)) }
            }
            for stream in streams { stream.keepsLog = true }
            self.streams = streams
        }

        /// Lets time pass in parts; before each, some shards are replaced.
        func run(parts: Int, replacing: Bool) throws {
            for _ in 0..<parts {
                let time = MediaDuration.milliseconds(Int.random(in: 1...400, using: &random))
                let chosen = (0..<world.server.count).filter { _ in Bool.random(using: &random) }
                if replacing {
                    for shard in chosen { try world.server.replaceShard(shard, at: world.now) }
                }
                world.run(for: time)
            }
        }

        /// What each client got, as it got it.
        var received: [[String]] {
            streams.map { stream in
                stream.log.map {
                    "\($0.extended) \($0.timestamp) \($0.hasMarker) \($0.isKeyFrame) \($0.at.nanoseconds)"
                }
            }
        }
    }

    @Test(arguments: 0..<200) func `no client notices that its shards were replaced`(seed: Int) throws {
        let shards = seed % 3 + 1
        let (kept, replaced) = try (
            Call(seed: UInt64(seed), shards: shards), Call(seed: UInt64(seed), shards: shards)
        )
        try kept.run(parts: 6, replacing: false)
        try replaced.run(parts: 6, replacing: true)
        #expect(kept.received == replaced.received)
        #expect(kept.received.allSatisfy { $0.count > 20 })
        for member in replaced.members {
            #expect(member.peer.authenticationFailures == 0)
            // A repeated index would be one.
            #expect(member.peer.replays == 0)
            #expect(member.peer.malformed == 0)
            #expect(member.peer.progress == .connected)
            #expect(member.iceStates == [.completed])
            #expect(member.dtlsStates == [.connecting, .connected])
            #expect(member.failures == [])
        }
        for stream in replaced.streams {
            #expect(stream.faults == [])
            #expect(stream.splices == 0)
            #expect(stream.duplicates == 0)
            #expect(stream.main?.ratio == 1)
        }
    }

    @Test(arguments: 0..<20) func `repairs go on behind a replacement, on a bad network`(seed: Int) throws {
        let call = try Call(seed: UInt64(1000 + seed), shards: seed % 2 + 1)
        call.world.network.conditions.loss = 0.05
        call.world.network.conditions.reorder = 0.05
        call.world.network.conditions.delay = .milliseconds(20)
        try call.run(parts: 12, replacing: true)
        call.world.network.conditions.loss = 0
        call.world.run(for: .seconds(2))
        for member in call.members {
            #expect(member.peer.authenticationFailures == 0)
            #expect(member.peer.replays == 0)
            #expect(member.peer.progress == .connected)
        }
        for stream in call.streams {
            #expect(stream.faults == [])
            #expect(stream.splices == 0)
            #expect((stream.main?.ratio ?? 0) > (stream.kind == .video ? 0.99 : 0.9))
        }
    }

    @Test func `a shard writes the same again once it was restored`() throws {
        let call = try Call(seed: 5, shards: 2)
        try call.run(parts: 3, replacing: false)
        for shard in 0..<2 {
            let first = try call.world.server.replaceShard(shard, at: call.world.now)
            let second = try call.world.server.replaceShard(shard, at: call.world.now)
            let (one, two) = (try SnapshotSection.read(first), try SnapshotSection.read(second))
            for section in SnapshotSection.allCases { #expect(one[section] == two[section], "\(section)") }
        }
    }

    @Test func `a snapshot that is damaged is refused, wherever it is`() throws {
        let call = try Call(seed: 6, shards: 1)
        try call.run(parts: 2, replacing: false)
        let whole = try call.world.server.replaceShard(0, at: call.world.now)
        var random = SplitMix(seed: 1)
        for _ in 0..<200 {
            let offset = Int.random(in: 0..<whole.count, using: &random)
            let bit: UInt8 = 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(throws: WireError.self) {
                try call.world.server.replaceShard(0, at: call.world.now) { $0[offset] ^= bit }
            }
            #expect(throws: WireError.self) {
                try call.world.server.replaceShard(0, at: call.world.now) { $0.removeLast(whole.count - offset) }
            }
        }
        // And what was to be replaced goes on.
        try call.run(parts: 2, replacing: true)
        for stream in call.streams { #expect(stream.main?.ratio == 1) }
    }

    @Test(arguments: 0..<40) func `wrong values behind right checksums are refused, or harm nobody`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let call = try Call(seed: 7, shards: 1)
        try call.run(parts: 1, replacing: false)
        for _ in 0..<20 {
            // One wrong value at a time: what is refused leaves the shard as it was.
            _ = try? call.world.server.replaceShard(0, at: call.world.now) { snapshot in
                if let changed = try? Self.changed(snapshot, &random) { snapshot = changed }
            }
        }
        call.world.run(for: .milliseconds(100))
        for member in call.members { member.leave() }
        call.world.run(for: .milliseconds(100))
        #expect(call.world.server.value(.transportsClosed) <= call.world.server.value(.transportsOpened))
    }

    /// The snapshot with one byte of one section changed, and its checksum made right.
    private static func changed(
        _ snapshot: [UInt8], _ random: inout SplitMix
    ) throws -> [UInt8] {
        let chosen = UInt16.random(in: 1...6, using: &random)
        var reader = SnapshotReader(snapshot)
        var writer = SnapshotWriter()
        while !reader.isAtEnd {
            let kind = try reader.readUInt16()
            _ = try reader.readUInt8()
            let length = Int(try reader.readUInt32())
            _ = try reader.readUInt32()
            var content = try reader.readBytes(length)
            if kind == chosen, !content.isEmpty {
                // Numbers and flags stand at the front of what has them; payloads fill most of the rest.
                let range = Bool.random(using: &random) ? min(content.count, 400) : content.count
                content[Int.random(in: 0..<range, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let section = try #require(SnapshotSection(rawValue: kind))
            section.write(to: &writer) { $0.writeBytes(content) }
        }
        return writer.bytes
    }

    /// Bytes that version 1 wrote; they change only together with the version. A server must understand what the one
    /// before it wrote.
    @Test func `what version 1 wrote is understood, and written the same`() throws {
        let world = try VirtualWorld(shards: 1, seed: 9)
        let members = try (0..<2).map { _ in try world.join() }
        try #require(world.connectAll())
        let track = members[0].peer.addTrack(.audio)
        try members[0].publish(track)
        _ = try members[1].subscribe(to: track)
        world.run(for: .milliseconds(45))
        let golden = GoldenSnapshot.bytes
        try world.server.replaceShard(0, at: world.now) { $0 = golden }
        let again = try world.server.replaceShard(0, at: world.now)
        let (one, two) = (try SnapshotSection.read(golden), try SnapshotSection.read(again))
        for section in SnapshotSection.allCases { #expect(one[section] == two[section], "\(section)") }
    }

    @Test func `a handshake that was under way begins again`() throws {
        let world = try VirtualWorld(seed: 3)
        let _ = try world.join()
        world.run(for: .milliseconds(3))
        try world.server.replaceShard(0, at: world.now)
        #expect(world.connectAll(within: .seconds(10)))
    }
}
