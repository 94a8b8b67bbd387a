import Synchronization
import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Ways through the TURN server")
struct RelayPathTests {
    private static let address = IPAddressPort(ipv4: 0x0A00_0001, port: 1)

    private static func path(
        _ inbox: RelayInbox = RelayInbox(), wakeShard: @escaping @Sendable () -> Void = {},
        wakeClient: @escaping @Sendable () -> Void = {}
    ) -> RelayPath {
        RelayPath(
            relayed: address, client: address, peer: address, kind: .tls, inbox: inbox, wakeShard: wakeShard,
            wakeClient: wakeClient)
    }

    private static func write(_ packets: [[UInt8]], to path: RelayPath) -> Int? {
        packets.flatMap(VirtualStream.frame).withUnsafeBytes { path.write($0) }
    }

    @Test func `what waits for the client is bounded, whole, and asked for again`() throws {
        let inbox = RelayInbox()
        let path = Self.path(inbox)
        let packet = [UInt8](repeating: 7, count: 1000)
        #expect(Self.write(Array(repeating: packet, count: 20), to: path) == 16 * 1002)
        #expect(Self.write([packet], to: path) == 0)
        var taken: [UInt8] = []
        for _ in 0..<16 {
            #expect(path.next(into: &taken))
            #expect(taken == packet)
        }
        #expect(!path.next(into: &taken))
        path.drained()
        guard case .room = try #require(inbox.removeFirst()) else {
            Issue.record("no word of room")
            return #expect(inbox.isEmpty)
        }
        path.drained()
        #expect(inbox.isEmpty && Self.write([packet], to: path) == 1002)
        path.close()
        #expect(Self.write([packet], to: path) == nil && !path.send([1]))
    }

    @Test func `what waits for the shard is bounded by bytes and by packets`() {
        let inbox = RelayInbox()
        let path = Self.path(inbox)
        var sent = 0
        while path.send([UInt8](repeating: 1, count: 1000)) { sent += 1 }
        #expect(sent == RelayPath.largestInFlight / 1000)
        path.taken(1000)
        #expect(path.send([UInt8](repeating: 1, count: 1000)))
        let paths = (0..<100).map { _ in Self.path(inbox) }
        for path in paths { for _ in 0..<100 { _ = path.send([1]) } }
        // Ends find room all the same.
        path.close()
        var messages = 0
        while inbox.removeFirst() != nil { messages += 1 }
        #expect(messages > 1000 && messages <= RelayInbox.capacity)
    }

    @Test(.timeLimit(.minutes(1))) func `packets cross threads whole and in order, and no room is forgotten`() async {
        let inbox = RelayInbox()
        let wakes = Atomic<Int>(0)
        let path = Self.path(inbox, wakeClient: { wakes.add(1, ordering: .releasing) })
        let count = 50_000
        // The shard: stops when the way is full, until it hears of room.
        async let shard: Void = {
            var next = 0
            var isBlocked = false
            while next < count {
                if isBlocked {
                    guard inbox.removeFirst() != nil else { continue }
                    isBlocked = false
                }
                let packet = (0..<(13 + next % 900)).map { UInt8(truncatingIfNeeded: $0 &+ next) }
                isBlocked = Self.write([packet], to: path) == 0
                if !isBlocked { next += 1 }
            }
        }()
        // The event loop: looks only when it was woken.
        async let client: Int = {
            var (received, seen, faults) = (0, 0, 0)
            var packet: [UInt8] = []
            while received < count {
                let woken = wakes.load(ordering: .acquiring)
                guard woken != seen else { continue }
                seen = woken
                path.began()
                while path.next(into: &packet) {
                    if packet.count != 13 + received % 900 || packet.first != UInt8(truncatingIfNeeded: received) {
                        faults += 1
                    }
                    received += 1
                }
                path.drained()
            }
            return faults
        }()
        await shard
        #expect(await client == 0)
    }

    @Test(arguments: [1, 2]) func `a call through the TURN server is as one over UDP`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let (alice, bob) = (try world.join(connects: false), try world.join(connects: false))
        world.server.overRelay = [alice.peer.localAddress, bob.peer.localAddress]
        try alice.connect()
        try bob.connect()
        #expect(world.connectAll())
        let track = alice.peer.addTrack(.video)
        try alice.publish(track)
        let stream = try bob.subscribe(to: track)
        world.run(for: .seconds(3))
        #expect(stream.packets > 100 && stream.main?.ratio == 1 && stream.faults == [])
        #expect(world.server.drops.isEmpty, "\(world.server.drops)")
        #expect(world.server.value(.relayedConnections) == 2 && world.server.value(.tcpConnectionsAccepted) == 0)
        try bob.collectStatistics()
        world.run(for: .milliseconds(10))
        let tuple = try #require(bob.statistics?.selectedTuple)
        #expect(
            tuple.transport == .tcp && tuple.relay == .tls && tuple.remoteAddress == bob.peer.localAddress.addressText)
        // It leaves, and its way ends.
        let paths = world.server.relayPaths
        bob.leave()
        world.run(for: .milliseconds(100))
        #expect(paths.count { $0.isOver } == 1)
        // A client that is gone without a word is missed by its consent alone; its connection is not.
        for path in paths { path.close() }
        world.run(for: .milliseconds(100))
        for shard in 0..<shards { world.server.withShard(shard) { #expect($0.connections.all.count == 0) } }
    }

    @Test func `a client that begins with no check for a transport has its way ended`() throws {
        let world = try VirtualWorld()
        let stranger = IPAddressPort(ipv4: 0xC633_6402, port: 50_000)
        world.server.overRelay = [stranger]
        let check = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 3, count: 12)
        let datagram = VirtualDatagram(bytes: check, from: stranger, to: world.server.addresses[0][0])
        _ = world.server.tick([datagram], at: MediaInstant(nanoseconds: 5_000_000_000))
        #expect(world.server.relayPaths.allSatisfy(\.isOver) && world.server.value(.tcpConnectionsMisused) == 1)
    }
}
