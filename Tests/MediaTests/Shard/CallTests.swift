import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("A call between two peers")
struct CallTests {
    /// Two connected members who each send audio and video and get the other's.
    @Test(arguments: [1, 2]) func `each hears and sees the other`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let alice = try world.join()
        let bob = try world.join()
        #expect(world.connectAll())
        #expect(Set([alice.transport.shard, bob.transport.shard]).count == shards)
        var streams: [SubscribedStream] = []
        for (from, to) in [(alice, bob), (bob, alice)] {
            for kind in MediaKind.allCases {
                let track = from.peer.addTrack(kind)
                try from.publish(track)
                streams.append(try to.subscribe(to: track))
            }
        }
        world.run(for: .seconds(3))
        for stream in streams {
            #expect(stream.faults == [])
            #expect(stream.splices == 0)
            #expect(stream.main?.ratio == 1)
            #expect(stream.packets > (stream.kind == .audio ? 140 : 250))
            #expect(stream.duplicates == 0)
        }
        for member in [alice, bob] {
            #expect(member.iceStates == [.completed])
            #expect(member.dtlsStates == [.connecting, .connected])
            #expect(member.failures == [])
            #expect(member.peer.authenticationFailures == 0)
            #expect(member.peer.unknownSSRC == [:])
            #expect(member.peer.malformed == 0)
            for track in member.peer.tracks where track.kind == .video {
                #expect(track.encodings[0].keyFrameRequests <= 2)
                #expect(track.encodings[0].nacksReceived == 0)
            }
        }
        #expect(world.server.drops.filter { $0.key != .unknownSSRC && $0.key != .awaitingKeyFrame } == [:])
    }
}
