import Synchronization
import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// A running media plane with threads, sockets and clients, for the thread sanitizer.
@Suite("BusyRoom", .serialized)
struct BusyRoomTests {
    /// A member whose peer runs on a thread of its own.
    private struct Seat: @unchecked Sendable {
        // Sendable: the member is used by the task that seated it; its peer under the loopback peer's lock.
        let loopback: LoopbackPeer
        let member: VirtualMember
        let tracks: [PublishedTrack]

        init(on handle: MediaHandle, seed: UInt64) throws {
            let loopback = try LoopbackPeer(seed: seed)
            self.loopback = loopback
            (member, tracks) = try loopback.perform { peer in
                let member = try VirtualMember(peer, on: handle)
                try member.connect()
                let tracks = [peer.addTrack(.audio), peer.addTrack(.video)]
                tracks[1].video.packetsPerFrame = 2
                for track in tracks { try member.publish(track) }
                return (member, tracks)
            }
            loopback.start()
        }

        func subscribe(to others: [PublishedTrack]) throws -> [SubscribedStream] {
            try loopback.perform { _ in try others.map { try member.subscribe(to: $0) } }
        }

        func leave() {
            member.leave()
            loopback.stop()
        }
    }

    /// What the visitors share.
    // Sendable: of a track they read what does not change while its peer's thread sends it.
    private final class Talk: @unchecked Sendable {
        let tracks: [PublishedTrack]
        let visits = Atomic<Int>(0)
        init(tracks: [PublishedTrack]) { self.tracks = tracks }
    }

    @Test(.timeLimit(.minutes(15))) func `rooms fill and empty while others talk`() async throws {
        let plane = try MediaPlane(
            configuration: MediaConfiguration(
                shards: 2, listenAddresses: ["127.0.0.1"], port: 0, pinsThreads: false))
        try plane.start()
        let handle = plane.handle
        let seats = try (0..<4).map { try Seat(on: handle, seed: UInt64($0 + 1)) }
        var streams: [SubscribedStream] = []
        for (index, seat) in seats.enumerated() {
            for (other, source) in seats.enumerated() where other != index {
                streams += try seat.subscribe(to: source.tracks)
            }
        }
        let talk = Talk(tracks: seats.flatMap(\.tracks))
        // Rounds, not seconds: tests beside this one may keep its tasks waiting.
        let visitors = 3
        let rounds = 16
        try await withThrowingTaskGroup(of: Void.self) { group in
            for visitor in 0..<visitors {
                group.addTask {
                    for round in 0..<rounds {
                        let seat = try Seat(on: handle, seed: UInt64(1000 * (visitor + 1) + round))
                        let streams = try seat.subscribe(to: talk.tracks)
                        try await Task.sleep(for: .milliseconds(150))
                        if let consumer = streams.first?.consumer { try handle.setConsumerPaused(consumer, true) }
                        if let consumer = streams.last?.consumer { handle.closeConsumer(consumer) }
                        try seat.member.collectStatistics()
                        try await Task.sleep(for: .milliseconds(100))
                        seat.leave()
                        talk.visits.add(1, ordering: .relaxed)
                    }
                }
            }
            group.addTask {
                while talk.visits.load(ordering: .relaxed) < visitors * rounds {
                    // A scrape of the metrics, as any thread may do.
                    _ = plane.counters().reduce(0) { $0 + $1.cpuSeconds }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            try await group.waitForAll()
        }
        for seat in seats { seat.leave() }
        await plane.close()
        for stream in streams {
            #expect(stream.faults == [])
            // The sanitizer slows the clients down too, and a full socket buffer loses packets: what comes must be right.
            #expect(stream.packets > (stream.kind == .audio ? 50 : 30))
            #expect((stream.main?.ratio ?? 0) > 0.5)
        }
        for seat in seats {
            #expect(seat.member.dtlsStates.starts(with: [.connecting, .connected]))
            #expect(seat.member.peer.authenticationFailures == 0)
        }
        let totals = plane.counters().flatMap(\.values).reduce(into: [String: UInt64]()) {
            $0[$1.name, default: 0] += $1.value
        }
        #expect(totals["transports_opened"] == totals["transports_closed"])
        #expect((totals["packets_to_other_shards"] ?? 0) > 100)
    }
}
