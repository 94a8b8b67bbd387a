import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Channels that clients open themselves, as over WHIP, and that are opened towards them, as over WHEP (RFC 8832).
@Suite("Data channels that are opened in band")
struct DataChannelsInBandTests {
    /// The peers are DTLS clients.
    private static let settings: DataTransportSettings = {
        var settings = DataTransportSettings()
        settings.inBandRole = .server
        return settings
    }()

    /// One who opens channels, and one who is opened some.
    private final class InBand {
        let world: VirtualWorld
        let publisher: VirtualMember
        let viewer: VirtualMember
        var handle: MediaHandle { world.server.handle }

        init(shards: Int = 1, seed: UInt64 = 1, settings: DataTransportSettings = DataChannelsInBandTests.settings)
            throws
        {
            world = try VirtualWorld(shards: shards, seed: seed)
            publisher = try world.join(data: settings)
            viewer = try world.join(data: settings)
            try #require(world.connectAll())
            publisher.peer.connectData()
            viewer.peer.connectData()
            let both = [publisher, viewer]
            // The server is connected half a round trip earlier, and a client that is not can close nothing.
            try #require(
                world.run(atMost: .seconds(3)) {
                    both.allSatisfy { $0.sctpStates.last == .connected && $0.peer.data?.sctp.state == .established }
                })
        }

        var opened: [OpenedDataChannel] {
            publisher.dataEvents.compactMap { if case .channelOpened(let channel) = $0 { channel } else { nil } }
        }

        func open(_ label: String, on stream: UInt16 = 0, ordered: Bool = true) {
            publisher.peer.sendData(
                DataChannelOpen(label: label, isOrdered: ordered).bytes, on: stream, .control)
        }

        func produce(on stream: UInt16 = 0) throws -> DataProducerKey {
            try handle.openDataProducer(DataProducerSettings(stream: stream), on: publisher.transport)
        }

        func consume(
            _ producer: DataProducerKey, on stream: UInt16 = 1, change: (inout DataConsumerSettings) -> Void = { _ in }
        ) throws -> DataConsumerKey {
            var settings = DataConsumerSettings(stream: stream)
            settings.label = "chat"
            change(&settings)
            return try handle.openDataConsumer(settings, of: producer, on: viewer.transport)
        }

        func texts(on stream: UInt16 = 1) -> [String] {
            viewer.peer.data?.received.filter { $0.stream == stream && $0.payloadProtocol != .control }.map {
                String(decoding: $0.payload, as: UTF8.self)
            } ?? []
        }

        var closings: Int {
            publisher.dataEvents.count { if case .producerClosedByClient = $0 { true } else { false } }
        }
    }

    @Test(arguments: [1, 2, 3]) func `a channel is acknowledged, and what came with it reaches its consumers`(
        shards: Int
    ) throws {
        let both = try InBand(shards: shards)
        both.open("chat", ordered: false)
        both.publisher.peer.sendData(Array("first".utf8), on: 0, .string)
        both.world.run(for: .milliseconds(30))
        #expect(both.publisher.peer.data?.received.map(\.payload) == [[2]])
        let channel = try #require(both.opened.first)
        #expect(both.opened.count == 1 && channel.transport == both.publisher.transport && channel.stream == 0)
        #expect(channel.label == "chat" && !channel.isOrdered && channel.maxRetransmits == nil)
        both.publisher.peer.sendData(Array("second".utf8), on: 0, .string)
        both.world.run(for: .milliseconds(30))
        let producer = try both.produce()
        _ = try both.consume(producer)
        both.publisher.peer.sendData(Array("third".utf8), on: 0, .string)
        both.world.run(for: .milliseconds(300))
        both.publisher.peer.sendData(Array("fourth".utf8), on: 0, .string)
        both.world.run(for: .milliseconds(100))
        #expect(both.texts() == ["first", "second", "third", "fourth"])
        let opening = try #require(both.viewer.peer.data?.received.first)
        #expect(opening.stream == 1 && opening.payloadProtocol == .control)
        #expect(try DataChannelOpen(parsing: opening.payload) == DataChannelOpen(label: "chat"))
    }

    @Test func `a message that is sent and left alone arrives, and its channel's number is used again`() throws {
        let both = try InBand()
        both.open("once")
        both.publisher.peer.sendData(Array("hello".utf8), on: 0, .string)
        both.publisher.peer.resetData([0])
        both.world.run(for: .seconds(2))
        // Until the room has had its say the number stays the client's.
        #expect(both.publisher.peer.data?.closed == [] && both.closings == 0)
        let producer = try both.produce()
        _ = try both.consume(producer)
        both.world.run(for: .milliseconds(300))
        #expect(both.texts() == ["hello"] && both.closings == 1)
        both.handle.closeDataProducer(producer)
        both.world.run(for: .seconds(1))
        #expect(both.publisher.peer.data?.closed == [0])
        // The number is free.
        both.open("again")
        both.world.run(for: .milliseconds(50))
        #expect(both.opened.map(\.label) == ["once", "again"])
    }

    @Test func `a channel that is refused is closed, and its messages are forgotten`() throws {
        let both = try InBand()
        both.open("chat")
        both.publisher.peer.sendData([UInt8](repeating: 1, count: 10_000), on: 0)
        both.world.run(for: .milliseconds(50))
        #expect(both.world.server.withShard(0) { $0.data.held } == 10_000)
        both.handle.closeDataChannel(both.publisher.transport, stream: 0)
        both.world.run(for: .seconds(1))
        #expect(both.publisher.peer.data?.closed == [0])
        #expect(both.world.server.withShard(0) { $0.data.held } == 0)
        // Nor is there a data producer for what is no channel, or is ours to open.
        both.publisher.peer.sendData([1], on: 7)
        both.open("ours", on: 5)
        both.world.run(for: .seconds(1))
        #expect(both.opened.count == 1)
        #expect(both.world.server.value(.dataDroppedNoProducer) > 0)
    }

    @Test func `messages that wait for a data producer are bounded`() throws {
        let both = try InBand()
        both.open("chat")
        for _ in 0..<40 {
            both.publisher.peer.sendData([UInt8](repeating: 1, count: 50_000), on: 0)
            both.world.run(for: .milliseconds(20))
        }
        #expect(both.world.server.withShard(0) { $0.data.held } <= EarlyDataMessages.largestBytes)
        #expect(both.world.server.value(.dataDroppedNoProducer) > 30)
    }

    @Test func `a data producer that gets more than may wait lets go at once, in order`() throws {
        let both = try InBand()
        both.open("chat")
        both.world.run(for: .milliseconds(50))
        _ = try both.consume(try both.produce())
        both.world.run(for: .milliseconds(2))
        for number in 0..<30 { both.publisher.peer.sendData([UInt8](repeating: UInt8(number), count: 30_000), on: 0) }
        both.world.run(for: .seconds(5))
        let received = both.viewer.peer.data?.received.filter { $0.payloadProtocol == .binary } ?? []
        #expect(received.map(\.payload[0]) == (0..<30).map { UInt8($0) })
    }

    @Test func `nothing overtakes what opens a channel`() throws {
        let both = try InBand()
        both.open("chat")
        both.world.run(for: .milliseconds(50))
        let producer = try both.produce()
        both.world.run(for: .milliseconds(200))
        _ = try both.consume(producer) { settings in
            settings.isOrdered = false
            settings.maxRetransmits = 0
        }
        both.world.run(for: .milliseconds(20))
        both.publisher.peer.sendData([1], on: 0)
        both.world.run(for: .milliseconds(50))
        both.viewer.peer.sendData([2], on: 1, .control)
        both.world.run(for: .milliseconds(50))
        both.publisher.peer.sendData([2], on: 0)
        both.world.run(for: .milliseconds(50))
        let received = try #require(both.viewer.peer.data?.received)
        #expect(received.map(\.payloadProtocol) == [.control, .binary, .binary])
        #expect(received.map(\.isUnordered) == [false, false, true])
        let open = try DataChannelOpen(parsing: received[0].payload)
        #expect(!open.isOrdered && open.reliability == .retransmissions(0))
    }

    @Test func `a channel of ours ends with its consumer, and its consumer with it`() throws {
        let both = try InBand()
        both.open("chat")
        both.world.run(for: .milliseconds(50))
        let producer = try both.produce()
        let first = try both.consume(producer)
        let second = try both.consume(producer, on: 3)
        // An even number is the client's to give.
        let wrong = try both.consume(producer, on: 4)
        both.world.run(for: .milliseconds(200))
        both.handle.closeDataConsumer(first)
        both.viewer.peer.resetData([3])
        both.world.run(for: .seconds(1))
        #expect(both.viewer.peer.data?.closed == [1])
        let closed = both.viewer.dataEvents.compactMap { event in
            if case .consumerClosedByClient(let key) = event { key } else { nil }
        }
        #expect(closed == [wrong, second])
        both.handle.closeDataConsumer(second)
        both.world.run(for: .seconds(1))
        #expect(both.viewer.peer.data?.closed == [1, 3])
    }

    @Test(arguments: 0..<12) func `no client notices that its shards were replaced`(seed: Int) throws {
        let shards = seed % 3 + 1
        let both = try InBand(shards: shards, seed: UInt64(seed))
        both.world.network.conditions.delay = .milliseconds(10)
        both.world.network.conditions.loss = seed % 2 == 0 ? 0.02 : 0
        var random = SplitMix(seed: UInt64(seed) &+ 5)
        func goOn() throws {
            both.world.run(for: .milliseconds(Int.random(in: 1...40, using: &random)))
            try both.world.server.replaceShard(Int.random(in: 0..<shards, using: &random), at: both.world.now)
        }
        both.open("chat")
        for number in 0..<5 {
            both.publisher.peer.sendData(Array("\(number)".utf8), on: 0, .string)
            try goOn()
        }
        try #require(both.world.run(atMost: .seconds(5)) { both.opened.count == 1 })
        let producer = try both.produce()
        _ = try both.consume(producer)
        for number in 5..<20 {
            both.publisher.peer.sendData(Array("\(number)".utf8), on: 0, .string)
            try goOn()
        }
        #expect(both.world.run(atMost: .seconds(20)) { both.texts().count == 20 })
        #expect(both.texts() == (0..<20).map { "\($0)" })
        both.publisher.peer.resetData([0])
        #expect(both.world.run(atMost: .seconds(20)) { both.closings > 0 })
    }

    // MARK: Rates

    @Test func `a flood of one data producer's is cut, and another's is not`() throws {
        var settings = DataTransportSettings()
        settings.messagesPerSecond = 100
        let room = try DataWorld(audience: 1, settings: settings)
        let handle = room.world.server.handle
        let other = try handle.openDataProducer(DataProducerSettings(stream: 2), on: room.sender.transport)
        _ = try handle.openDataConsumer(DataConsumerSettings(stream: 9), of: other, on: room.audience[0].transport)
        room.world.run(for: .milliseconds(50))
        // 1,000 messages a second for three seconds; the other sends twenty.
        for tick in 0..<60 {
            for _ in 0..<50 { room.sender.peer.sendData([1], on: 0) }
            if tick % 3 == 0 { room.sender.peer.sendData(Array("\(tick)".utf8), on: 2, .string) }
            room.world.run(for: .milliseconds(50))
        }
        room.world.run(for: .seconds(2))
        let data = try #require(room.audience[0].peer.data)
        let taken = data.received.count { $0.stream == DataWorld.stream }
        // A second's worth at once, and three seconds'.
        #expect((390...410).contains(taken), "\(taken)")
        #expect(data.texts(on: 9).count == 20)
        #expect(room.world.server.value(.dataDroppedRate) == UInt64(3000 - taken))
    }

    @Test func `long messages count by their length`() throws {
        let world = try VirtualWorld(limits: IngressLimits(megabitsPerProducer: 2, megabitsPerTransport: 100))
        let members = try (0..<2).map { _ in try world.join(data: DataTransportSettings()) }
        try #require(world.connectAll())
        let producer = try world.server.handle.openDataProducer(
            DataProducerSettings(stream: 0), on: members[0].transport)
        _ = try world.server.handle.openDataConsumer(
            DataConsumerSettings(stream: 0), of: producer, on: members[1].transport)
        members[0].peer.connectData()
        world.run(for: .seconds(1))
        for _ in 0..<10 {
            members[0].peer.sendData([UInt8](repeating: 1, count: 200_000), on: 0)
            world.run(for: .milliseconds(100))
        }
        world.run(for: .seconds(3))
        // 1.6 Mbit each: two make up the burst, and one more comes a second later.
        let taken = members[1].peer.data?.received.count ?? 0
        #expect((2...4).contains(taken), "\(taken)")
    }
}
