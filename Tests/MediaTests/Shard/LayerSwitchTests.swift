import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// A publisher of layered video and a viewer who keeps everything it gets.
struct LayeredCall {
    let world: VirtualWorld
    let publisher: VirtualMember
    let viewer: VirtualMember
    let track: PublishedTrack
    let stream: SubscribedStream

    init(
        _ layered: LayeredVideo, encodings: Int = 1, shards: Int = 1, seed: UInt64 = 1, usesRTX: Bool = true,
        firstSequence: UInt16? = nil, usesRID: Bool = false, change: (inout ConsumerSettings) -> Void = { _ in }
    ) throws {
        world = try VirtualWorld(shards: shards, seed: seed)
        publisher = try world.join()
        viewer = try world.join()
        #expect(world.connectAll())
        track = publisher.peer.addTrack(
            .video, rids: encodings > 1 || usesRID ? Array(["l", "m", "h"].prefix(encodings)) : [],
            firstSequence: firstSequence,
            layered: layered)
        try publisher.publish(track)
        stream = try viewer.subscribe(to: track, usesRTX: usesRTX, change: change)
        stream.keepsLog = true
    }

    func decoded(alsoOf streams: [PublishedStream] = []) -> DecodedVideo {
        DecodedVideo(stream.log, of: track.encodings + streams)
    }

    /// The layers of what came since `time`.
    func layersReceived(since time: MediaInstant) -> (spatial: Set<Int>, temporal: Set<Int>) {
        var spatial: Set<Int> = []
        var temporal: Set<Int> = []
        for packet in stream.log where packet.at >= time {
            guard let content = packet.content,
                let encoding = track.encodings.firstIndex(where: { $0.contentStream == content.stream })
            else { continue }
            let sent = track.encodings[encoding]
            let frame = sent.frames[sent.frameOfNumber[Int(content.number)]]
            spatial.insert(track.encodings.count > 1 ? encoding : frame.spatial)
            temporal.insert(frame.temporal)
        }
        return (spatial, temporal)
    }
}

/// One way to send layers.
struct LayeredCase: CustomTestStringConvertible, Sendable {
    var name: String
    var video: LayeredVideo
    var encodings = 1

    var testDescription: String { name }
    var spatialLayers: Int { max(encodings, video.spatialLayers) }

    static let all: [LayeredCase] = [
        LayeredCase(name: "VP8 simulcast", video: LayeredVideo(temporalLayers: 3), encodings: 3),
        LayeredCase(name: "H.264 simulcast", video: LayeredVideo(codec: .h264), encodings: 3),
        LayeredCase(name: "VP9 L3T3", video: LayeredVideo(codec: .vp9, spatialLayers: 3, temporalLayers: 3)),
        LayeredCase(
            name: "VP9 L3T3_KEY, flexible",
            video: LayeredVideo(codec: .vp9, spatialLayers: 3, temporalLayers: 3, isKSVC: true, isFlexible: true)),
        LayeredCase(name: "AV1 L3T3", video: LayeredVideo(codec: .av1, spatialLayers: 3, temporalLayers: 3)),
        LayeredCase(
            name: "AV1 L3T3_KEY",
            video: LayeredVideo(codec: .av1, spatialLayers: 3, temporalLayers: 3, isKSVC: true)),
        LayeredCase(name: "VP8 L1T3", video: LayeredVideo(temporalLayers: 3)),
        LayeredCase(name: "AV1 L1T2", video: LayeredVideo(codec: .av1, temporalLayers: 2)),
        LayeredCase(
            name: "VP8 L1T3 by descriptor", video: LayeredVideo(temporalLayers: 3, usesDescriptorOnly: true)),
    ]
}

@Suite("Switching layers by request")
struct LayerSwitchTests {
    @Test(arguments: LayeredCase.all, [1, 2])
    func `a consumer is taken through every layer, and every picture can be decoded`(
        layered: LayeredCase, shards: Int
    ) throws {
        let call = try LayeredCall(layered.video, encodings: layered.encodings, shards: shards)
        call.world.run(for: .seconds(4))
        for spatial in [2, 0, 1, 2, 1, 0, 2] where spatial < layered.spatialLayers {
            for temporal in [0, 2, 1] where temporal < layered.video.temporalLayers {
                try call.viewer.prefer(UInt8(spatial), UInt8(temporal), of: call.stream)
                call.world.run(for: .milliseconds(700))
                let settled = call.world.now
                call.world.run(for: .milliseconds(400))
                let received = call.layersReceived(since: settled)
                let isCumulative = layered.encodings == 1 && !layered.video.isKSVC
                #expect(received.spatial == (isCumulative ? Set(0...spatial) : [spatial]))
                #expect(received.temporal == Set(0...temporal))
                let wanted = ConsumerLayers(spatial: UInt8(spatial), temporal: UInt8(temporal))
                #expect(call.viewer.layers(of: call.stream).last == wanted)
            }
        }
        let video = call.decoded()
        #expect(video.faults == [])
        #expect(video.broken.isEmpty)
        #expect(video.missing == 0)
        #expect(video.longestFreeze <= .milliseconds(500))
        #expect(call.stream.faults == [])
        #expect(call.viewer.peer.authenticationFailures == 0)
        #expect(call.stream.duplicates == 0)
    }

    @Test(arguments: LayeredCase.all.prefix(6), [UInt64(1), 2])
    func `fifty switches through loss, reordering and 200 ms of round trip`(
        layered: LayeredCase, seed: UInt64
    ) throws {
        let call = try LayeredCall(layered.video, encodings: layered.encodings, shards: 2, seed: seed)
        call.world.run(for: .seconds(4))
        var conditions = LinkConditions.lossy(0.05)
        conditions.delay = .milliseconds(100)
        conditions.reorder = 0.02
        conditions.reorderDelay = .milliseconds(8)
        call.world.network.conditions = conditions
        var random = WireSamples.Generator(seed: seed)
        var spatial = 2
        for _ in 0..<50 {
            spatial = (spatial + 1 + Int(random.next() % 2)) % 3
            let temporal = Int(random.next() % UInt64(layered.video.temporalLayers))
            try call.viewer.prefer(UInt8(spatial), UInt8(temporal), of: call.stream)
            call.world.run(for: .milliseconds(1400))
        }
        call.world.network.conditions = .delayed(.milliseconds(100))
        call.world.run(for: .seconds(2))
        let changes = call.viewer.layers(of: call.stream).count
        #expect(changes > 40)
        let video = call.decoded()
        #expect(video.faults.prefix(6) == [])
        #expect(video.brokenBeforeCut(.milliseconds(600)).prefix(6) == [])
        #expect(video.ratio >= 0.998)
        #expect(call.stream.faults == [])
        #expect(call.viewer.peer.authenticationFailures == 0)
    }
}
