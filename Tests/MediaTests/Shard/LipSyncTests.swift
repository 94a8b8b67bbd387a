import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// A sender whose video comes 400 ms later than its sound, and a viewer.
private struct Lips {
    static let videoDelay = MediaDuration.milliseconds(400)

    let world: VirtualWorld
    let publisher: VirtualMember
    let viewer: VirtualMember
    let sound: PublishedTrack
    let picture: PublishedTrack
    let heard: SubscribedStream
    let seen: SubscribedStream

    init(shards: Int, encodings: Int = 1, reports: Bool = true) throws {
        world = try VirtualWorld(shards: shards)
        publisher = try world.join()
        viewer = try world.join()
        #expect(world.connectAll())
        sound = publisher.peer.addTrack(.audio)
        picture = publisher.peer.addTrack(
            .video, rids: encodings > 1 ? ["l", "m", "h"] : [], layered: LayeredVideo())
        picture.video.framesPerSecond = 25
        picture.captureDelay = Self.videoDelay
        if !reports {
            sound.unreportedEncodings = [0]
            picture.unreportedEncodings = Set(0..<encodings)
        }
        try publisher.publish(sound)
        try publisher.publish(picture)
        heard = try viewer.subscribe(to: sound)
        seen = try viewer.subscribe(to: picture)
        heard.keepsLog = true
        seen.keepsLog = true
    }

    /// By how many seconds the viewer shows the picture later than it lets the sound be heard.
    func lag() throws -> Double {
        let picture = try error(of: seen) { content in
            guard let sent = self.picture.encodings.first(where: { $0.contentStream == content.stream }) else {
                return nil
            }
            return sent.frames[sent.frameOfNumber[Int(content.number)]].sentAt + Self.videoDelay * -1
        }
        // One packet each 20 ms.
        let origin = sound.encodings[0]
        let sound = try error(of: heard) { content in
            origin.lastTimestampAt + .milliseconds(20) * (Int(content.number) + 1 - Int(origin.number))
        }
        return picture - sound
    }

    /// When the newest packet was captured by the viewer's reports, less when it was: seconds.
    private func error(
        of stream: SubscribedStream, captured: (TestPayload.Content) -> MediaInstant?
    ) throws -> Double {
        let report = try #require(stream.lastSenderReport)
        let packet = try #require(stream.log.last { $0.content != nil })
        let content = try #require(packet.content)
        let found = captured(content)
        let time = try #require(found)
        let since = Int64(bitPattern: report.ntp.rawValue &- VirtualClock.wallClock(at: time).rawValue)
        let units = Int32(bitPattern: packet.timestamp &- report.rtpTimestamp.rawValue)
        return Double(since) / 4_294_967_296 + Double(units) / (stream.kind == .audio ? 48_000 : 90_000)
    }
}

@Suite("Lip sync")
struct LipSyncTests {
    @Test(arguments: [1, 2]) func `what a sender's video is late by does not move its lips`(shards: Int) throws {
        let lips = try Lips(shards: shards)
        lips.world.run(for: .seconds(12))
        for _ in 0..<10 {
            lips.world.run(for: .seconds(1))
            #expect(abs(try lips.lag()) <= 0.02)
        }
        #expect(lips.viewer.peer.roundTripTime.map { $0 < .milliseconds(5) } == true)
    }

    @Test(arguments: [1, 2]) func `through every change of layers the lips stay in place`(shards: Int) throws {
        let lips = try Lips(shards: shards, encodings: 3)
        lips.world.run(for: .seconds(8))
        for layer in [0, 2, 1, 0, 1, 2] as [UInt8] {
            try lips.viewer.prefer(layer, 0, of: lips.seen)
            lips.world.run(for: .seconds(3))
            #expect(lips.viewer.layers(of: lips.seen).last == ConsumerLayers(spatial: layer, temporal: 0))
            #expect(abs(try lips.lag()) <= 0.02)
        }
    }

    @Test(arguments: [1, 2]) func `reports that are held up on their way move nobody's lips`(shards: Int) throws {
        let lips = try Lips(shards: shards)
        var conditions = LinkConditions()
        conditions.jitter = .milliseconds(300)
        lips.world.network.setConditions(conditions, from: lips.publisher.peer.localAddress)
        lips.world.run(for: .seconds(12))
        for _ in 0..<20 {
            lips.world.run(for: .seconds(1))
            #expect(abs(try lips.lag()) <= 0.02)
        }
    }

    @Test(arguments: [1, 2], [true, false])
    func `without the sender's reports, or a clock in them, what arrives together belongs together`(
        shards: Int, reports: Bool
    ) throws {
        let lips = try Lips(shards: shards, reports: reports)
        lips.publisher.peer.hasWallClock = false
        lips.world.run(for: .seconds(12))
        #expect(abs(try lips.lag() - 0.4) <= 0.04)
    }

    @Test(arguments: [1, 2]) func `a stream that has sent nothing for two seconds is not reported on`(
        shards: Int
    ) throws {
        let lips = try Lips(shards: shards)
        lips.world.run(for: .seconds(8))
        lips.picture.isSending = false
        lips.world.run(for: .milliseconds(2050))
        let (seen, heard) = (lips.seen.senderReports, lips.heard.senderReports)
        lips.world.run(for: .seconds(10))
        #expect(lips.seen.senderReports == seen)
        #expect(lips.heard.senderReports > heard)
        lips.picture.isSending = true
        lips.world.run(for: .milliseconds(1600))
        #expect(lips.seen.senderReports > seen)
        #expect(abs(try lips.lag()) <= 0.02)
    }
}
