import RoundhouseMedia
import RoundhouseRooms
import Synchronization
import Testing

@testable import RoundhouseGateway

/// Scripts over a real room: a session ends once, and its peer leaves once.
@Suite struct PeerMembershipTests {
    /// Notes what its room says.
    private final class Client: PeerChannel {
        private let noted = Mutex<[String]>([])
        var got: [String] { noted.withLock { $0 } }

        func notify(_ notification: ServerNotification) { noted.withLock { $0.append(notification.method) } }
        func close(_ reason: PeerCloseReason) { noted.withLock { $0.append("closed: \(reason.rawValue)") } }
    }

    private let rooms: RoomRegistry
    private let membership = PeerMembership()
    private let client = Client()

    init() throws { rooms = try RoomRegistry(media: .recording { _, _ in true }) }

    private func enter(_ name: String = "alice", _ room: String = "room") async throws -> RoomMember {
        let (room, peer) = try await rooms.connect(PeerID(name), to: RoomID(room), through: client)
        return RoomMember(room: room, peer: peer)
    }

    private var peers: Int { rooms.totals().counts.peers }

    @Test func `a peer leaves its room once, whoever asks for it and how often`() async throws {
        let member = try await enter()
        await membership.entered(member)
        #expect(membership.member?.peer == member.peer && peers == 1)
        async let leavings = [membership.leave(), membership.leave(), membership.leave()]
        #expect(await leavings.count { $0 } == 1)
        #expect(membership.member == nil && peers == 0)
        #expect(client.got.count { $0 == "closed: disconnected" } == 1)
    }

    @Test func `a session ends once, and its peer may leave after that`() async throws {
        await membership.entered(try await enter())
        #expect(membership.end())
        #expect(!membership.end() && membership.isOver)
        #expect(peers == 1)
        #expect(await membership.leave())
        #expect(peers == 0)
    }

    @Test func `a session that ended while its peer was entering takes it out again`() async throws {
        let member = try await enter()
        #expect(membership.end())
        await membership.entered(member)
        #expect(membership.member == nil && peers == 0)
        #expect(await !membership.leave())
    }

    @Test func `a peer that its room closed leaves without effect on the one that replaced it`() async throws {
        await membership.entered(try await enter())
        let newer = try await enter()
        #expect(client.got.contains("closed: replaced-by-a-newer-connection"))
        await membership.leave()
        #expect(peers == 1)
        await newer.room.disconnected(newer.peer)
        #expect(peers == 0)
    }

    @Test func `a client goes from one room to another`() async throws {
        let first = try await enter()
        await membership.entered(first)
        let taken = try #require(membership.take())
        #expect(taken.peer == first.peer && membership.member == nil && membership.take() == nil)
        await taken.room.left(taken.peer)
        let second = try await enter("alice", "other")
        await membership.entered(second)
        #expect(membership.member?.room === second.room)
        #expect(await membership.leave())
        #expect(peers == 0)
    }
}
