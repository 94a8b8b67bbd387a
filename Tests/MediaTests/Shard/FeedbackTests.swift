import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Feedback and reports")
struct FeedbackTests {
    @Test func `transport-cc feedback acknowledges audio and video`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let audio = publisher.peer.addTrack(.audio)
        let video = publisher.peer.addTrack(.video)
        try publisher.publish(audio)
        try publisher.publish(video)
        world.network.conditions.jitter = .milliseconds(5)
        world.run(for: .seconds(5))
        audio.isSending = false
        video.isSending = false
        world.run(for: .seconds(1))
        let feedback = publisher.peer.feedback
        // Twenty a second while it begins.
        #expect((85...110).contains(feedback.packets))
        #expect(feedback.skipped == 0)
        // Everything that was sent after the producers were known is acknowledged.
        #expect(feedback.audioAcknowledged == Int(audio.encodings[0].packetsSent))
        #expect(feedback.videoAcknowledged == Int(video.encodings[0].packetsSent))
        #expect(publisher.peer.malformed == 0)
    }

    @Test func `without transport-cc no feedback is sent`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let audio = publisher.peer.addTrack(.audio)
        audio.wantsTransportFeedback = false
        try publisher.publish(audio)
        world.run(for: .seconds(1))
        #expect(publisher.peer.feedback.packets == 0)
    }

    @Test(arguments: [1, 2]) func `reports are the server's own and count right, and both sides measure the round trip`(
        shards: Int
    ) throws {
        let world = try VirtualWorld(shards: shards)
        world.network.conditions.delay = .milliseconds(40)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(12))
        track.isSending = false
        world.run(for: .seconds(4))
        // Towards the publisher.
        let sent = track.encodings[0]
        let report = try #require(sent.lastReport)
        #expect(report.cumulativeLost == 0)
        #expect(report.fractionLost == 0)
        #expect(UInt16(truncatingIfNeeded: report.highestSequence) == UInt16(truncatingIfNeeded: sent.index - 1))
        #expect((8...20).contains(sent.reportsReceived))
        let roundTrip = MediaDuration.milliseconds(78)...MediaDuration.milliseconds(86)
        #expect(sent.roundTripTime.map(roundTrip.contains) == true)
        // Towards the viewer.
        let senderReport = try #require(stream.lastSenderReport)
        #expect(senderReport.packetCount == UInt32(stream.packets))
        #expect(senderReport.octetCount == UInt32(stream.bytes))
        #expect(stream.lastCNAME == track.cname)
        #expect((8...20).contains(stream.senderReports))
        // On the server.
        try publisher.collectStatistics()
        try viewer.collectStatistics()
        world.run(for: .milliseconds(50))
        let received = try #require(publisher.statistics?.producers.first?.streams.first)
        #expect(received.packetsReceived == sent.packetsSent)
        #expect(received.bytesReceived == sent.bytesSent)
        #expect(received.packetsLost == 0)
        #expect(received.roundTripTime.map(roundTrip.contains) == true)
        #expect(received.keyFrames == UInt64(sent.keyFramesSent))
        let forwarded = try #require(viewer.statistics?.consumers.first)
        #expect(forwarded.packetsSent == UInt64(stream.packets))
        #expect(forwarded.roundTripTime.map(roundTrip.contains) == true)
        #expect(forwarded.packetsLost == 0)
        #expect(viewer.peer.roundTripTime.map(roundTrip.contains) == true)
    }

    @Test func `loss shows in the reports of both directions`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1)
        stream.sendsNACK = false
        track.answersNACK = false
        world.network.conditions = .lossy(0.1)
        world.run(for: .seconds(10))
        let report = try #require(track.encodings[0].lastReport)
        #expect((40...150).contains(report.cumulativeLost))
        try publisher.collectStatistics()
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        let lost = try #require(viewer.statistics?.consumers.first?.packetsLost)
        #expect((90...260).contains(lost))
        #expect((publisher.statistics?.producers.first?.streams.first?.packetsLost ?? 0) > 40)
    }

    @Test func `a key frame request of a consumer reaches the publisher`() throws {
        let (world, _, viewer, track, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(3))
        let before = track.encodings[0].keyFrameRequests
        viewer.peer.sendPLI(of: stream)
        world.run(for: .milliseconds(100))
        #expect(track.encodings[0].keyFrameRequests == before + 1)
        // So soon after the first, the second request waits.
        try viewer.handle.requestKeyFrame(try #require(stream.consumer))
        world.run(for: .milliseconds(800))
        #expect(track.encodings[0].keyFrameRequests == before + 1)
        world.run(for: .milliseconds(500))
        #expect(track.encodings[0].keyFrameRequests == before + 2)
    }
}
