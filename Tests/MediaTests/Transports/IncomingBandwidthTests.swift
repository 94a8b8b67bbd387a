import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("How much a sender should send")
struct IncomingBandwidthTests {
    /// A sender that sends what it is asked to, over a path with a queue.
    private struct Path: ~Copyable {
        var incoming: IncomingBandwidth
        /// Bits per second.
        var rate: UInt64
        /// What the sender has to send at most.
        var demand = UInt64.max
        /// How far the sender's clock is ahead of ours.
        var clock = MediaDuration.zero
        var saysSendTime = true
        private(set) var asked: [(at: MediaInstant, bitrate: UInt64)] = []
        /// How long the newest packet waited.
        private(set) var queue = MediaDuration.zero
        private(set) var now = MediaInstant(nanoseconds: 500_000_000_000)
        private var nextSend = MediaInstant(nanoseconds: 500_000_000_000)
        private var freeAt = MediaInstant(nanoseconds: 0)
        private var underway: [(at: MediaInstant, sendTime: UInt32)] = []
        private static let size = 1_000

        init(_ incoming: IncomingBandwidth, rate: UInt64) {
            (self.incoming, self.rate) = (incoming, rate)
        }

        var bitrate: UInt64 { min(asked.last?.bitrate ?? 300_000, demand) }

        mutating func run(for duration: MediaDuration) {
            let end = now + duration
            while now < end {
                now = now + .milliseconds(1)
                while nextSend <= now {
                    freeAt = max(freeAt, nextSend) + MediaDuration(nanoseconds: Int64(8_000_000_000_000 / rate))
                    queue = freeAt - nextSend
                    underway.append((freeAt + .milliseconds(30), (nextSend + clock).absoluteSendTime))
                    nextSend = nextSend + MediaDuration(nanoseconds: Int64(8_000_000_000_000 / max(bitrate, 10_000)))
                }
                while let first = underway.first, first.at <= now {
                    underway.removeFirst()
                    incoming.packetReceived(
                        sendTime: saysSendTime ? first.sendTime : nil, size: Self.size, at: now)
                }
                if let deadline = incoming.nextDeadline, deadline <= now, let bitrate = incoming.advance(to: now) {
                    asked.append((now, bitrate))
                }
            }
        }

        /// The sender falls silent.
        mutating func pause(for duration: MediaDuration) {
            now = now + duration
            nextSend = now
        }
    }

    @Test(arguments: [250_000, 700_000] as [UInt64])
    func `a sender is asked for what its path carries, and the queue stays short`(rate: UInt64) {
        var path = Path(IncomingBandwidth(maximum: nil, isMeasuring: true), rate: rate)
        path.run(for: .seconds(10))
        var longest = MediaDuration.zero
        var sum: UInt64 = 0
        for _ in 0..<200 {
            path.run(for: .milliseconds(100))
            longest = max(longest, path.queue)
            sum += path.bitrate
        }
        let average = sum / 200
        #expect((rate * 7 / 10...rate * 105 / 100).contains(average), "\(average)")
        #expect(longest < .milliseconds(300), "\(longest)")
    }

    @Test func `a sender with a wide path comes up, and a narrower path is noticed at once`() {
        var path = Path(IncomingBandwidth(maximum: nil, isMeasuring: true), rate: 20_000_000)
        path.run(for: .seconds(15))
        #expect(path.bitrate > 2_500_000)
        path.rate = 800_000
        path.run(for: .seconds(5))
        #expect(path.bitrate < 900_000)
    }

    @Test func `what a sender does not use is not asked for`() {
        var path = Path(IncomingBandwidth(maximum: nil, isMeasuring: true), rate: 20_000_000)
        path.demand = 1_200_000
        path.run(for: .seconds(30))
        #expect((1_200_000...1_900_000).contains(path.asked.last?.bitrate ?? 0))
    }

    @Test(arguments: [true, false]) func `what is allowed at most is never exceeded`(isMeasuring: Bool) {
        var path = Path(IncomingBandwidth(maximum: 600_000, isMeasuring: isMeasuring), rate: 20_000_000)
        path.run(for: .seconds(10))
        #expect(path.asked.allSatisfy { $0.bitrate == 600_000 })
        let interval: Int64 = isMeasuring ? 1_000 : 1_500
        let gaps = zip(path.asked, path.asked.dropFirst()).map { ($1.at - $0.at).milliseconds }
        #expect(gaps.count >= 5 && gaps.allSatisfy { (interval...interval + 150).contains($0) }, "\(gaps)")
        // A sender that is silent has nothing to be asked, and a media thread nothing to do.
        path.pause(for: .seconds(30))
        _ = path.incoming.advance(to: path.now)
        #expect(path.incoming.nextDeadline == nil)
    }

    @Test func `the sender's clock may go over its end, jump, and lie`() {
        var path = Path(IncomingBandwidth(maximum: nil, isMeasuring: true), rate: 20_000_000)
        path.demand = 1_500_000
        // Its 24 bits last 64 s.
        path.run(for: .seconds(130))
        #expect(path.asked.last?.bitrate ?? 0 > 1_500_000)
        for jump in [MediaDuration.seconds(20), .seconds(-20), .seconds(-400)] {
            path.clock = path.clock + jump
            path.run(for: .seconds(20))
            #expect(path.asked.last?.bitrate ?? 0 > 1_400_000, "\(jump)")
        }
        var random = SplitMix(seed: 1)
        for _ in 0..<20_000 {
            path.pause(for: MediaDuration(nanoseconds: Int64(random.next() % 20_000_000)))
            path.incoming.packetReceived(
                sendTime: UInt32(truncatingIfNeeded: random.next()) & 0xFF_FFFF, size: 1_200, at: path.now)
            if let asked = path.incoming.advance(to: path.now) { #expect((30_000...3_000_000).contains(asked)) }
        }
    }

    @Test(arguments: [nil, 600_000] as [UInt64?]) func `without times of sending a sender is bounded at most`(
        maximum: UInt64?
    ) {
        var path = Path(IncomingBandwidth(maximum: maximum, isMeasuring: true), rate: 400_000)
        path.saysSendTime = false
        path.run(for: .seconds(10))
        #expect(path.asked.isEmpty == (maximum == nil) && path.asked.allSatisfy { $0.bitrate == maximum })
    }

    @Test func `it goes on as before when it is written down and restored`() throws {
        try SnapshotScript(
            steps: 600, pace: .milliseconds(20), IncomingBandwidth(maximum: 1_900_000, isMeasuring: true)
        ) { incoming, index, random, now in
            let lag = MediaDuration.milliseconds(index / 100 % 2 == 0 ? 400 : index % 100 * 5)
            incoming.packetReceived(
                sendTime: random.isOne(in: 90) ? nil : (now + (.seconds(10) - lag)).absoluteSendTime,
                size: random.below(3_000), at: now)
            return "\(incoming.advance(to: now) ?? 0) \(incoming.estimate) \(incoming.nextDeadline?.nanoseconds ?? 0)"
        }.check()
    }

    // MARK: On a shard

    /// A publisher that knows no transport-wide feedback but REMB.
    private func publisher(
        in world: VirtualWorld, hasFeedback: Bool, maximum: UInt64? = nil
    ) throws -> (VirtualMember, [PublishedTrack]) {
        let publisher = try world.join(maximumIncoming: maximum)
        #expect(world.connectAll())
        let tracks = [publisher.peer.addTrack(.audio), publisher.peer.addTrack(.video)]
        for track in tracks {
            track.wantsTransportFeedback = hasFeedback
            try publisher.publish(track) { settings in
                guard settings.kind == .video else { return }
                settings.codecs[0].feedback.insert(.receiverEstimatedMaximumBitrate)
            }
        }
        return (publisher, tracks)
    }

    @Test func `a client without transport-wide feedback gets estimates, which name all that it sends`() throws {
        let world = try VirtualWorld()
        let (publisher, tracks) = try publisher(in: world, hasFeedback: false)
        world.run(for: .seconds(5))
        let last = try #require(publisher.peer.estimates.last)
        #expect(last.bitrate >= 900_000)
        #expect(Set(last.sources) == Set(tracks.flatMap(\.encodings).map(\.ssrc)))
        #expect((4...15).contains(publisher.peer.estimates.count))
        try world.server.replaceShard(0, at: world.now)
        world.run(for: .seconds(5))
        #expect(publisher.peer.estimates.count >= 8)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(50))
        #expect(publisher.statistics?.availableIncoming ?? 0 > 900_000 && publisher.statistics?.maximumIncoming == nil)
        let left = world.server.withShard(0) { $0.incomings.count }
        publisher.leave()
        world.run(for: .milliseconds(50))
        #expect(left == 1 && world.server.withShard(0) { $0.incomings.count } == 0)
    }

    @Test func `a client that negotiates transport-wide feedback later is estimated no more`() throws {
        let world = try VirtualWorld()
        let (publisher, _) = try publisher(in: world, hasFeedback: false)
        world.run(for: .seconds(3))
        #expect(!publisher.peer.estimates.isEmpty)
        try publisher.publish(publisher.peer.addTrack(.audio))
        world.run(for: .seconds(1))
        let count = publisher.peer.estimates.count
        world.run(for: .seconds(5))
        #expect(publisher.peer.estimates.count == count && publisher.peer.feedback.packets > 0)
    }

    @Test func `a client with transport-wide feedback is only bounded, and an unbounded one is asked nothing`() throws {
        let world = try VirtualWorld()
        let (bounded, _) = try publisher(in: world, hasFeedback: true, maximum: 700_000)
        world.run(for: .seconds(5))
        #expect(bounded.peer.estimates.allSatisfy { $0.bitrate == 700_000 })
        #expect((3...5).contains(bounded.peer.estimates.count))
        let (free, _) = try publisher(in: world, hasFeedback: true)
        world.run(for: .seconds(5))
        #expect(free.peer.estimates.isEmpty)
    }

    @Test(arguments: [true, false]) func `a limit is said when it is set, and when it is lifted`(
        hasFeedback: Bool
    ) throws {
        let world = try VirtualWorld()
        let (publisher, _) = try publisher(in: world, hasFeedback: hasFeedback)
        world.run(for: .seconds(3))
        let handle = world.server.handle
        try handle.setBitrateLimits(of: publisher.transport, nil, incoming: 400_000)
        world.run(for: .seconds(2))
        #expect(publisher.peer.estimates.last?.bitrate == 400_000)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(50))
        #expect(publisher.statistics?.maximumIncoming == 400_000)
        // The shard that takes over knows it too.
        try world.server.replaceShard(0, at: world.now)
        let count = publisher.peer.estimates.count
        world.run(for: .seconds(3))
        #expect(publisher.peer.estimates.dropFirst(count).allSatisfy { $0.bitrate == 400_000 })
        #expect(publisher.peer.estimates.count > count)
        try handle.setBitrateLimits(of: publisher.transport, nil, incoming: nil)
        world.run(for: .seconds(3))
        #expect(try #require(publisher.peer.estimates.last).bitrate > 400_000)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(50))
        #expect(publisher.statistics?.maximumIncoming == nil)
    }
}
