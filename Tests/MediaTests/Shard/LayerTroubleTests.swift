import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Layers in trouble")
struct LayerTroubleTests {
    private static let simulcast = LayeredCase.all[0]
    private static let svc = [LayeredCase.all[2], LayeredCase.all[5]]

    /// What must hold at the end, whatever happened.
    private func examine(
        _ call: LayeredCall, alsoOf old: [PublishedStream] = [], missing: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let video = call.decoded(alsoOf: old)
        #expect(video.faults.prefix(6) == [], sourceLocation: sourceLocation)
        #expect(video.brokenBeforeCut(.milliseconds(600)).prefix(6) == [], sourceLocation: sourceLocation)
        #expect(video.missing <= missing, sourceLocation: sourceLocation)
        #expect(call.stream.faults == [], sourceLocation: sourceLocation)
        #expect(call.stream.duplicates == 0, sourceLocation: sourceLocation)
        #expect(call.viewer.peer.authenticationFailures == 0, sourceLocation: sourceLocation)
    }

    @Test(arguments: [simulcast] + svc, [1, 2])
    func `streams that change their SSRC are followed, one by one and all at once`(
        layered: LayeredCase, shards: Int
    ) throws {
        // An SSRC that was announced is kept; one that was learned by RID may change.
        let call = try LayeredCall(layered.video, encodings: layered.encodings, shards: shards, usesRID: true)
        call.world.run(for: .seconds(4))
        var old: [PublishedStream] = []
        // The encoding whose clock the timestamps are on is not the one being sent.
        for encodings in [[0], [layered.encodings - 1], Array(0..<layered.encodings)] {
            for encoding in encodings {
                old.append(call.track.encodings[encoding])
                call.publisher.peer.changeSSRC(of: call.track, encoding: encoding)
            }
            call.world.run(for: .seconds(5))
            let settled = call.world.now
            call.world.run(for: .milliseconds(500))
            #expect(call.layersReceived(since: settled).spatial.contains(layered.spatialLayers - 1))
        }
        examine(call, alsoOf: old)
        #expect(call.decoded(alsoOf: old).longestFreeze <= .milliseconds(500))
    }

    @Test(arguments: [simulcast] + svc, [1, 2])
    func `a publisher that pauses for a minute, or is silent for one, is taken up again`(
        layered: LayeredCase, shards: Int
    ) throws {
        let call = try LayeredCall(layered.video, encodings: layered.encodings, shards: shards)
        call.world.run(for: .seconds(4))
        let producer = try #require(call.track.producer)
        let consumer = try #require(call.stream.consumer)
        try call.publisher.handle.setProducerPaused(producer, true)
        try call.viewer.handle.setConsumerProducerPaused(consumer, true)
        call.track.isSending = false
        call.world.run(for: .seconds(60))
        #expect(call.viewer.layers(of: call.stream).last == .some(nil))
        try call.publisher.handle.setProducerPaused(producer, false)
        try call.viewer.handle.setConsumerProducerPaused(consumer, false)
        for _ in 0..<2 {
            call.track.isSending = true
            call.world.run(for: .seconds(4))
            let settled = call.world.now
            call.world.run(for: .milliseconds(500))
            #expect(call.layersReceived(since: settled).spatial.contains(layered.spatialLayers - 1))
            #expect(call.viewer.layers(of: call.stream).last??.spatial == UInt8(layered.spatialLayers - 1))
            call.track.isSending = false
            call.world.run(for: .seconds(60))
        }
        examine(call)
    }

    /// Sequence numbers and roll-over counter, timestamps, picture ids and TL0PICIDX, on both sides.
    @Test(arguments: [LayeredCase.all[6], svc[0]]) func `every counter wraps while layers are left out`(
        layered: LayeredCase
    ) throws {
        let call = try LayeredCall(layered.video, shards: 2, firstSequence: 65_000)
        call.track.encodings[0].timestamp = .max - 90_000
        call.track.video.framesPerSecond = 250
        call.track.video.packetsPerFrame = 60 / layered.video.spatialLayers
        call.track.video.packetSize = 30
        for step in 0..<8 {
            try call.viewer.prefer(
                UInt8(layered.video.spatialLayers - 1), UInt8(step % 2 == 0 ? 2 : 1), of: call.stream)
            call.world.run(for: .milliseconds(900))
        }
        #expect(call.stream.log.count > 66_000)
        #expect(call.track.encodings[0].index > 65_536 * 2)
        examine(call)
    }

    @Test(arguments: [simulcast] + svc, [1, 2])
    func `a key frame whose first packet comes behind the others loses nothing`(
        layered: LayeredCase, shards: Int
    ) throws {
        let call = try LayeredCall(layered.video, encodings: layered.encodings, shards: shards)
        call.track.losesKeyFrameStarts = true
        call.world.run(for: .seconds(4))
        let consumer = try #require(call.stream.consumer)
        for spatial in [0, 2, 1, 2, 0, 1] {
            // Within a stream only the beginning can wait for what is late: what came before was left out.
            if layered.encodings == 1 { try call.viewer.handle.setConsumerPaused(consumer, true) }
            try call.viewer.prefer(UInt8(spatial), 2, of: call.stream)
            call.world.run(for: .milliseconds(20))
            if layered.encodings == 1 { try call.viewer.handle.setConsumerPaused(consumer, false) }
            call.world.run(for: .milliseconds(1500))
            #expect(call.viewer.layers(of: call.stream).last??.spatial == UInt8(spatial))
        }
        #expect(call.stream.nacksSent == 0)
        examine(call)
    }

    /// The same number under one key must be the same bytes (RFC 7714 §8.1).
    @Test(arguments: Array(LayeredCase.all.prefix(5)))
    func `without RTX what is sent again is the same to the last bit`(layered: LayeredCase) throws {
        let call = try LayeredCall(layered.video, encodings: layered.encodings, usesRTX: false)
        call.world.run(for: .seconds(4))
        let repeated = RepeatedPackets(to: call.viewer.peer, in: call.world)
        var conditions = LinkConditions.lossy(0.05)
        conditions.delay = .milliseconds(40)
        conditions.reorder = 0.02
        call.world.network.conditions = conditions
        for step in 0..<20 {
            try call.viewer.prefer(UInt8((step * 2 + step / 3) % 3), UInt8(step % 3), of: call.stream)
            call.world.run(for: .milliseconds(1100))
        }
        #expect(repeated.same > 20)
        #expect(repeated.different == 0)
        #expect(call.viewer.peer.authenticationFailures == 0)
    }
}
