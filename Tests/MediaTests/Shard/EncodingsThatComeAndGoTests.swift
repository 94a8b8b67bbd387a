import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Encodings that come and go")
struct EncodingsThatComeAndGoTests {
    private func makeCall(shards: Int) throws -> LayeredCall {
        let call = try LayeredCall(LayeredVideo(), encodings: 3, shards: shards)
        call.track.video.framesPerSecond = 25
        return call
    }

    private func examine(_ call: LayeredCall, longestFreeze: MediaDuration) {
        let video = call.decoded()
        #expect(video.faults.prefix(6) == [])
        #expect(video.broken.isEmpty)
        #expect(video.longestFreeze <= longestFreeze)
        #expect(call.stream.faults == [])
        #expect(call.viewer.peer.authenticationFailures == 0)
    }

    @Test(arguments: [1, 2])
    func `a viewer keeps its picture when the encoding it began with ends before its first sender report`(
        shards: Int
    ) throws {
        let call = try makeCall(shards: shards)
        call.track.unreportedEncodings = [0, 1, 2]
        call.track.silentEncodings = [0, 1]
        call.world.run(for: .milliseconds(1500))
        #expect(call.layersReceived(since: call.world.now + .milliseconds(-200)).spatial == [2])
        call.track.silentEncodings = [2]
        call.track.unreportedEncodings = []
        call.world.run(for: .milliseconds(2400))
        #expect(call.viewer.layers(of: call.stream).last == ConsumerLayers(spatial: 1, temporal: 0))
        call.world.run(for: .seconds(5))
        #expect(call.layersReceived(since: call.world.now + .seconds(-5)).spatial == [1])
        // What ended is noticed after a second and a half.
        examine(call, longestFreeze: .milliseconds(1700))
    }

    @Test(arguments: [1, 2]) func `without sender reports a viewer gets the layers it asks for`(shards: Int) throws {
        let call = try makeCall(shards: shards)
        call.track.unreportedEncodings = [0, 1, 2]
        call.world.run(for: .milliseconds(2500))
        for (step, wanted) in ([2, 0, 2, 1] as [UInt8]).enumerated() {
            // The first of them is what a viewer prefers who has not said anything.
            if step > 0 { try call.viewer.prefer(wanted, 0, of: call.stream) }
            call.world.run(for: .seconds(1))
            let settled = call.world.now
            call.world.run(for: .seconds(1))
            #expect(call.viewer.layers(of: call.stream).last == ConsumerLayers(spatial: wanted, temporal: 0))
            #expect(call.layersReceived(since: settled).spatial == [Int(wanted)])
        }
        examine(call, longestFreeze: .milliseconds(200))
    }

    @Test(arguments: [1, 2]) func `where the preferred encoding is absent a viewer gets the next lower one`(
        shards: Int
    ) throws {
        let call = try makeCall(shards: shards)
        call.track.silentEncodings = [1]
        call.world.run(for: .seconds(3))
        try call.viewer.prefer(1, 0, of: call.stream)
        call.world.run(for: .seconds(1))
        #expect(call.layersReceived(since: call.world.now + .milliseconds(-500)).spatial == [0])
        #expect(call.viewer.layers(of: call.stream).last == ConsumerLayers(spatial: 0, temporal: 0))
        // It comes back, and is taken once it has been there for two seconds.
        call.track.silentEncodings = []
        call.world.run(for: .milliseconds(2500))
        #expect(call.viewer.layers(of: call.stream).last == ConsumerLayers(spatial: 1, temporal: 0))
        examine(call, longestFreeze: .milliseconds(200))
    }
}
