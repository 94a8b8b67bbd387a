import Logging
import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite(.timeLimit(.minutes(15))) struct RoomRegistryTests {
    @Test func `a room exists while it has a peer`() async throws {
        let fixture = try RoomFixture()
        #expect(fixture.registry.room(RoomID("room")) == nil)
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        #expect(fixture.registry.room(RoomID("room")) === alice.room)
        let summary = try #require(fixture.registry.list().first)
        #expect(summary.id == RoomID("room") && summary.counts.peers == 2 && summary.counts.transports == 4)
        #expect(summary.counts.producers == 0 && summary.counts.consumers == 0)
        #expect(summary.openedAt == alice.room.openedAt && !summary.isLocked && !summary.needsPassword)
        await alice.room.disconnected(alice.session)
        #expect(fixture.registry.totals().counts.transports == 2)
        await bob.room.disconnected(bob.session)
        #expect(fixture.registry.room(RoomID("room")) == nil)
        #expect(fixture.registry.list().isEmpty)
        #expect(fixture.plane.names.count { $0 == "closeTransport" } == 4)
        await expectRefusal(.roomClosed) { try await bob.request(.getRouterRtpCapabilities) }
    }

    @Test func `joining a room that is closing makes another one`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        await alice.room.close()
        #expect(alice.client.closed == .roomClosed)
        let again = try await fixture.join("alice")
        #expect(again.room !== alice.room)
        // The closed room must not take the newer one with it.
        await alice.room.close()
        await alice.room.drain()
        #expect(fixture.registry.room(RoomID("room")) === again.room)
    }

    @Test func `peers that join and leave one room at the same time never meet a closed one`() async throws {
        let fixture = try RoomFixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    let peer = try await fixture.join("peer\(index)")
                    await peer.room.disconnected(peer.session)
                    #expect(peer.client.closed == .disconnected)
                }
            }
            try await group.waitForAll()
        }
        #expect(fixture.registry.totals().rooms == 0)
    }

    @Test func `a closed registry closes every room and takes nobody`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice", to: "a")
        let bob = try await fixture.join("bob", to: "b")
        await fixture.registry.close()
        await fixture.registry.close()
        #expect(alice.client.closed == .shutdown)
        #expect(bob.client.closed == .shutdown)
        #expect(fixture.registry.totals().rooms == 0)
        await expectRefusal(.roomClosed) { try await fixture.connect("carol") }
    }

    @Test func `a full room refuses and is not left behind empty`() async throws {
        var configuration = RoomConfiguration()
        configuration.maximumPeers = 1
        let fixture = try RoomFixture(configuration: configuration)
        let alice = try await fixture.connect("alice")
        await expectRefusal(.limitReached) { try await fixture.connect("bob") }
        _ = try await fixture.connect("alice")
        #expect(alice.client.closed == .replaced)
        configuration.maximumPeers = 0
        let closed = try RoomFixture(configuration: configuration)
        await expectRefusal(.limitReached) { try await closed.connect("alice") }
        #expect(closed.registry.totals().rooms == 0)
    }

    @Test func `codecs that cannot be had are refused at the start`() {
        let configuration = RoomConfiguration(mediaCodecs: [
            RTPCodecCapability(kind: .video, mimeType: "video/chicken", clockRate: 90000)
        ])
        let error = #expect(throws: RoomError.self) { _ = try RoomFixture(configuration: configuration) }
        #expect(error?.code == .unsupported)
    }

    @Test func `a closed room is released, even while the media plane still has its queue`() async throws {
        let fixture = try RoomFixture()
        weak var room: Room?
        weak var client: RecordingClient?
        do {
            let alice = try await fixture.join("alice")
            let bob = try await fixture.join("bob")
            _ = try await alice.produce(.audio, audioParameters())
            room = alice.room
            client = bob.client
            await alice.room.close()
        }
        for (key, queue) in fixture.plane.transports { queue.append(.dtlsStateChanged(key, .closed)) }
        // A task woken by the events may hold the room until it has run.
        while room != nil { await Task.yield() }
        while client != nil { await Task.yield() }
    }

    @Test func `two hundred rooms of four come and go and leave nothing`() async throws {
        let fixture = try RoomFixture(shards: 4)
        let rooms = try await withThrowingTaskGroup(of: WeakRoom.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let name = "room\(index)"
                    var peers: [ConnectedPeer] = []
                    for peer in 0..<4 {
                        let peer = try await fixture.join("peer\(peer)", to: name)
                        _ = try await peer.produce(.audio, audioParameters())
                        _ = try await peer.produce(.video, simulcastParameters())
                        peers.append(peer)
                        for peer in peers { await peer.answer(.accepted) }
                    }
                    let room = peers[0].room
                    let counts = room.published.value
                    #expect(counts.peers == 4 && counts.producers == 8 && counts.consumers == 24)
                    for peer in peers { await room.disconnected(peer.session) }
                    return WeakRoom(room)
                }
            }
            var rooms: [WeakRoom] = []
            for try await room in group { rooms.append(room) }
            return rooms
        }
        #expect(fixture.registry.totals().rooms == 0)
        #expect(fixture.registry.totals().counts == RoomCounts())
        for weakRoom in rooms { while weakRoom.room != nil { await Task.yield() } }
        let names = fixture.plane.names
        #expect(names.count { $0 == "openTransport" } == 1600)
        #expect(names.count { $0 == "closeTransport" } == 1600)
        #expect(names.count { $0 == "openConsumer" } == 4800)
    }

    @Test(arguments: [1, 2, 3, 4, 8])
    func `senders and receivers of clients in many rooms are spread over all shards`(shards: Int) async throws {
        let fixture = try RoomFixture(shards: shards)
        var peers: [ConnectedPeer] = []
        for index in 0..<24 { peers.append(try await fixture.join("peer\(index)", to: "room\(index / 6)")) }
        // As every client does: a transport to send on, then one to receive on.
        let keys = fixture.plane.transports.map(\.key)
        for offset in 0...1 {
            let ofUse = stride(from: offset, to: keys.count, by: 2).map { keys[$0].shard }
            let counts = (0..<shards).map { shard in ofUse.count { $0 == shard } }
            #expect(counts.allSatisfy { $0 == 24 / shards }, "\(counts)")
        }
        for peer in peers { await peer.room.disconnected(peer.session) }
    }

    /// Sees a room without keeping it.
    // Sendable: the weak reference is written once, before the value is shared.
    final class WeakRoom: @unchecked Sendable {
        weak var room: Room?
        init(_ room: Room) { self.room = room }
    }
}
