import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("A sender of several codecs")
struct CodecChangeTests {
    private static let second: (client: UInt8, router: UInt8) = (98, 103)

    /// A track whose sender has negotiated two codecs, and a viewer that takes some of them.
    private func stage(
        shards: Int = 1, accepting: [UInt8] = [ClientCodecs.routerVP8, second.router]
    ) throws -> (world: VirtualWorld, publisher: VirtualMember, track: PublishedTrack, stream: SubscribedStream) {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track) { settings in
            var other = settings.codecs[0]
            other.payloadType = Self.second.client
            other.mappedPayloadType = Self.second.router
            settings.codecs.append(other)
        }
        let stream = try viewer.subscribe(to: track) { settings in
            settings.codecs = accepting.map { payloadType in
                var codec = settings.codecs[0]
                codec.payloadType = payloadType
                return codec
            }
        }
        stream.otherPayloadType = Self.second.router
        return (world, publisher, track, stream)
    }

    private func changes(_ publisher: VirtualMember) -> [UInt8] {
        publisher.events.compactMap {
            if case .producerCodecChanged(_, let payloadType) = $0 { payloadType } else { nil }
        }
    }

    @Test(arguments: [1, 2]) func `is known by its first key frame, and by each change`(shards: Int) throws {
        let (world, publisher, track, stream) = try stage(shards: shards)
        world.run(for: .seconds(2))
        #expect(changes(publisher) == [ClientCodecs.routerVP8])
        // Packets that were under way do not count.
        track.videoPayloadType = Self.second.client
        world.run(for: .milliseconds(200))
        #expect(changes(publisher) == [ClientCodecs.routerVP8])
        track.needsKeyFrame[0] = true
        world.run(for: .seconds(2))
        #expect(changes(publisher) == [ClientCodecs.routerVP8, Self.second.router])
        #expect(stream.main?.ratio == 1)
        #expect(stream.faults == [])
    }

    @Test func `may begin with its second`() throws {
        let (world, publisher, track, stream) = try stage()
        track.videoPayloadType = Self.second.client
        world.run(for: .seconds(1))
        #expect(changes(publisher) == [Self.second.router])
        #expect(stream.packets > 50 && stream.main?.ratio == 1)
    }

    @Test func `that changes all the time is followed once a second`() throws {
        let (world, publisher, track, _) = try stage()
        for step in 0..<100 {
            track.videoPayloadType = step % 2 == 0 ? Self.second.client : ClientCodecs.vp8
            track.needsKeyFrame[0] = true
            world.run(for: .milliseconds(50))
        }
        #expect((4...6).contains(changes(publisher).count))
        // The last change comes too soon behind another, and its key frame is the only one.
        let other = changes(publisher).last == Self.second.router
        track.videoPayloadType = other ? ClientCodecs.vp8 : Self.second.client
        track.needsKeyFrame[0] = true
        world.run(for: .seconds(2))
        #expect(changes(publisher).last == (other ? ClientCodecs.routerVP8 : Self.second.router))
    }

    @Test func `sends nothing to a viewer that lacks the codec`() throws {
        let (world, _, track, stream) = try stage(accepting: [Self.second.router])
        world.run(for: .seconds(1))
        #expect(stream.packets == 0)
        track.videoPayloadType = Self.second.client
        track.needsKeyFrame[0] = true
        world.run(for: .seconds(1))
        #expect(stream.packets > 50 && stream.firstPacketIsKeyFrame == true)
    }
}
