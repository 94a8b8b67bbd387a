import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Recordings of whole calls over virtual links, decided again.
@Suite("Replays")
struct BandwidthReplayTests {
    /// A viewer whose link gets narrow and wide again, recorded from the third second on; a consumer comes and goes.
    private func recording(losing share: Double = 0) throws -> [UInt8] {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join(limits: BitrateLimits())
        viewer.peer.givesFeedback = true
        #expect(world.connectAll())
        func setLink(rate: Int) {
            var conditions = LinkConditions.delayed(.milliseconds(25))
            (conditions.rate, conditions.queue, conditions.loss) = (rate, .milliseconds(300), share)
            world.network.setConditions(conditions, to: viewer.peer.localAddress)
        }
        setLink(rate: 2_000_000)
        let tracks = (0..<2).map { _ in publisher.peer.addTrack(.video, layered: LayeredVideo(temporalLayers: 3)) }
        for track in tracks { try publisher.publish(track) }
        let first = try #require(try viewer.subscribe(to: tracks[0]).consumer)
        world.run(for: .seconds(3))
        try world.server.handle.recordBandwidth(of: viewer.transport, true)
        world.run(for: .seconds(2))
        _ = try viewer.subscribe(to: tracks[1])
        setLink(rate: 300_000)
        world.run(for: .seconds(6))
        try world.server.handle.setConsumerPriority(first, 7)
        world.server.handle.closeConsumer(first)
        try world.server.handle.setBitrateLimits(
            of: viewer.transport, BitrateLimits(maximum: 1_000_000), incoming: nil)
        setLink(rate: 3_000_000)
        world.run(for: .seconds(6))
        return try #require(
            world.server.withShard(0) { shard in
                shard.bandwidths.slots.compactMap { shard.bandwidths[$0].recording(at: shard.now) }.first
            })
    }

    @Test(arguments: [0, 0.05]) func `a recording is decided again to the last bit`(loss: Double) throws {
        let recording = try recording(losing: loss)
        var decisions: [BandwidthReplay.Decision] = []
        let replay = try BandwidthReplay(recording) { decisions.append($0) }
        #expect(replay.firstDifference == nil && replay.bytes == recording && !replay.isCutOff)
        #expect(replay.inputs > 500 && (13...15).contains(replay.duration.seconds))
        #expect(decisions.contains { $0.consumers.count == 2 } && decisions.last?.consumers.count == 1)
        #expect(decisions.count(where: \.isChange) > 2)
    }

    @Test func `another outcome is found, with its place`() throws {
        var recording = try recording()
        // As if the server had known something else in the end.
        let place = recording.count - 5
        recording[place] ^= 1
        #expect(try BandwidthReplay(recording).firstDifference == place)
    }

    @Test func `a recording that is cut off is replayed as far as it goes`() throws {
        let recording = try recording()
        var replayed = 0
        for length in stride(from: 0, to: recording.count, by: 997) {
            do throws(BandwidthReplay.Failure) {
                let replay = try BandwidthReplay(Array(recording.prefix(length)))
                #expect(replay.isCutOff && replay.firstDifference == nil)
                replayed += 1
            } catch {
                #expect(error.offset <= length && !error.message.isEmpty)
            }
        }
        #expect(replayed > 0)
    }

    @Test(arguments: 0..<60) func `damage is an error with its place, or decided otherwise, and never a trap`(
        seed: UInt64
    ) throws {
        var random = SplitMix(seed: seed)
        var recording = try Self.sample.get()
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: 0..<recording.count, using: &random)
            recording[place] = UInt8.random(in: 0...255, using: &random)
        }
        do throws(BandwidthReplay.Failure) {
            let replay = try BandwidthReplay(recording)
            #expect(replay.inputs >= 0)
        } catch {
            #expect((0...recording.count).contains(error.offset))
        }
    }

    private static let sample = Result { try BandwidthReplayTests().recording() }

    @Test func `what is no recording says so`() throws {
        #expect(throws: BandwidthReplay.Failure.self) { try BandwidthReplay(Array("hello, world".utf8)) }
        #expect(throws: BandwidthReplay.Failure.self) { try BandwidthReplay([]) }
        do throws(BandwidthReplay.Failure) {
            _ = try BandwidthReplay(Array("RHBW".utf8) + [99])
            Issue.record("another version was taken")
        } catch {
            #expect(error.offset == 5 && error.description.contains("version"))
        }
    }

    @Test func `a recording that is full stops growing, and so many are made at a time`() throws {
        var recorder = BandwidthRecorder([], at: MediaInstant(nanoseconds: 0))
        for second in 0..<1_000_000 {
            recorder.note(.estimate, at: MediaInstant(nanoseconds: UInt64(second))) { $0.writeUInt64(1) }
        }
        #expect(recorder.isFull && recorder.bytes.count < BandwidthRecorder.largest + 32)
        #expect(recorder.ended([1, 2, 3], at: MediaInstant(nanoseconds: 1 << 40)) == recorder.bytes)

        let world = try VirtualWorld()
        let publisher = try world.join()
        let track = publisher.peer.addTrack(.video, layered: LayeredVideo(temporalLayers: 3))
        let viewers = try (0...MediaHandle.recordingLimit).map { _ in try world.join(limits: BitrateLimits()) }
        #expect(world.connectAll())
        try publisher.publish(track)
        for viewer in viewers {
            _ = try viewer.subscribe(to: track)
            try world.server.handle.recordBandwidth(of: viewer.transport, true)
        }
        world.run(for: .seconds(1))
        let recorded = {
            world.server.withShard(0) { shard in shard.bandwidths.slots.count { shard.bandwidths[$0].recorder != nil } }
        }
        #expect(recorded() == MediaHandle.recordingLimit)
        try world.server.handle.recordBandwidth(of: viewers[0].transport, false)
        try world.server.handle.recordBandwidth(of: viewers.last?.transport ?? publisher.transport, true)
        world.run(for: .seconds(1))
        #expect(recorded() == MediaHandle.recordingLimit)
    }
}
