import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Data producers and consumers")
struct DataFanOutTests {
    private static func content(_ count: Int, _ salt: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ salt) }
    }

    @Test(arguments: [1, 3]) func `every consumer gets every message as it was sent`(shards: Int) throws {
        let room = try DataWorld(shards: shards, audience: 7)
        let sizes = [1, 2, 1159, 1160, 1161, 16_384, 65_535, 65_536, 262_144]
        for (salt, size) in sizes.enumerated() {
            let kind: PayloadProtocol = salt % 2 == 0 ? .binary : .string
            #expect(room.sender.peer.sendData(Self.content(size, salt), on: 0, kind) == .queued)
            room.world.run(for: .milliseconds(400))
        }
        room.sender.peer.sendData([0], on: 0, .binaryEmpty)
        room.sender.peer.sendData([0x20], on: 0, .stringEmpty)
        #expect(room.world.run(atMost: .seconds(20)) { room.hasArrived(sizes.count + 2) })
        for member in room.audience {
            let received = try #require(member.peer.data?.received)
            #expect(received.map(\.payload.count) == sizes + [1, 1])
            #expect(received.allSatisfy { $0.stream == DataWorld.stream && !$0.isUnordered })
            for (salt, message) in received.prefix(sizes.count).enumerated() {
                #expect(message.payload == Self.content(sizes[salt], salt))
                #expect(message.payloadProtocol == (salt % 2 == 0 ? .binary : .string))
            }
            #expect(received.suffix(2).map(\.payloadProtocol) == [.binaryEmpty, .stringEmpty])
        }
        #expect(room.world.server.value(.dataMessagesSent) == UInt64((sizes.count + 2) * 7))
        room.world.run(for: .seconds(1))
        #expect(room.accounted == 0)
    }

    @Test(arguments: [1, 2]) func `messages survive a network that loses, doubles and reorders`(shards: Int) throws {
        let room = try DataWorld(shards: shards, audience: 3, seed: 5)
        room.world.network.conditions.delay = .milliseconds(50)
        room.world.network.conditions.loss = 0.05
        room.world.network.conditions.duplicate = 0.02
        room.world.network.conditions.reorder = 0.02
        for number in 0..<200 {
            room.sender.peer.sendData(Array("message \(number)".utf8), on: 0, .string)
            if number % 10 == 0 { room.world.run(for: .milliseconds(20)) }
        }
        #expect(room.world.run(atMost: .seconds(60)) { room.hasArrived(200) })
        for member in room.audience {
            #expect(member.peer.data?.texts(on: DataWorld.stream) == (0..<200).map { "message \($0)" })
        }
    }

    @Test func `unordered consumers are sent unordered messages`() throws {
        let room = try DataWorld(audience: 1) { settings in
            settings.isOrdered = false
            settings.maxRetransmits = 0
        }
        room.sender.peer.sendData([1, 2, 3], on: 0)
        #expect(room.world.run(atMost: .seconds(1)) { room.hasArrived(1) })
        #expect(room.audience[0].peer.data?.received[0].isUnordered == true)
    }

    @Test(arguments: [1, 2]) func `a client that takes nothing loses messages, and nobody waits for it`(shards: Int)
        throws
    {
        let room = try DataWorld(
            shards: shards, audience: 4, settings: DataTransportSettings(largestMessage: 65_536, sendBuffer: 65_536))
        let lost = room.audience[1]
        lost.peer.isSilent = true
        for _ in 0..<100 {
            room.sender.peer.sendData([UInt8](repeating: 7, count: 4000), on: 0)
            room.world.run(for: .milliseconds(50))
        }
        for member in room.audience where member !== lost { #expect(member.peer.data?.received.count == 100) }
        #expect(room.world.server.value(.dataDroppedSlowConsumer) > 50)
        let full = lost.dataEvents.count { if case .sendBufferFull(room.consumers[1]) = $0 { true } else { false } }
        // Once a second.
        #expect((3...7).contains(full))
        // Each of its messages is in memory, and none twice.
        #expect((1...150_000).contains(room.accounted))
        room.world.remove(lost)
        room.world.run(for: .milliseconds(50))
        #expect(room.accounted == 0)
    }

    @Test func `messages wait for a client that has no channel yet`() throws {
        let room = try DataWorld(audience: 2)
        let handle = room.world.server.handle
        // One of a transport that is connected, one of a transport that begins with it.
        let late = try room.world.join(data: DataTransportSettings())
        #expect(room.world.connectAll())
        var settings = DataConsumerSettings(stream: 5)
        settings.isHeld = true
        let keys = try [room.audience[0], late].map {
            try handle.openDataConsumer(settings, of: room.producer, on: $0.transport)
        }
        room.world.run(for: .milliseconds(5))
        for number in 0..<5 { room.sender.peer.sendData(Array("\(number)".utf8), on: 0, .string) }
        room.world.run(for: .seconds(3))
        #expect(room.audience[0].peer.data?.texts(on: 5) == [] && late.peer.data?.texts(on: 5) ?? [] == [])
        #expect(room.audience[0].peer.data?.texts(on: DataWorld.stream).count == 5)
        for key in keys { try handle.releaseDataConsumer(key) }
        room.world.run(for: .milliseconds(200))
        for member in [room.audience[0], late] {
            #expect(member.peer.data?.texts(on: 5) == ["0", "1", "2", "3", "4"])
        }
    }

    @Test func `data waits behind nobody's video`() throws {
        let room = try DataWorld(audience: 2)
        let track = room.sender.peer.addTrack(.video)
        try room.sender.publish(track)
        let streams = try room.audience.map { try $0.subscribe(to: track) }
        for _ in 0..<20 {
            room.sender.peer.sendData([UInt8](repeating: 1, count: 200_000), on: 0)
            room.world.run(for: .milliseconds(100))
        }
        #expect(room.world.run(atMost: .seconds(20)) { room.hasArrived(20) })
        for stream in streams {
            #expect(stream.main?.ratio == 1)
            #expect(stream.faults == [])
        }
    }

    @Test func `pauses and subchannels say who gets what`() throws {
        let room = try DataWorld(audience: 3)
        let handle = room.world.server.handle
        try handle.setDataConsumerPaused(room.consumers[1], true)
        room.world.run(for: .milliseconds(5))
        room.sender.peer.sendData(Array("one".utf8), on: 0, .string)
        room.world.run(for: .milliseconds(100))
        try handle.setDataProducerPaused(room.producer, true)
        room.world.run(for: .milliseconds(5))
        room.sender.peer.sendData(Array("two".utf8), on: 0, .string)
        room.world.run(for: .milliseconds(100))
        try handle.setDataProducerPaused(room.producer, false)
        try handle.setDataConsumerPaused(room.consumers[1], false)
        room.world.run(for: .milliseconds(5))
        room.sender.peer.sendData(Array("three".utf8), on: 0, .string)
        room.world.run(for: .milliseconds(100))
        #expect(
            room.audience.map { $0.peer.data?.texts(on: DataWorld.stream) }
                == [["one", "three"], ["three"], ["one", "three"]])
        #expect(room.world.server.value(.dataDroppedPaused) == 1)
        let direct = try handle.openDirectDataProducer()
        let consumers = try room.audience.map {
            try handle.openDataConsumer(DataConsumerSettings(stream: 9), of: direct, on: $0.transport)
        }
        try handle.setDataConsumerSubchannels(consumers[0], [1, 2])
        try handle.setDataConsumerSubchannels(consumers[1], [2])
        try handle.sendData(DataMessage(text: "all"), of: direct)
        try handle.sendData(DataMessage(text: "some", subchannels: [1, 5]), of: direct)
        try handle.sendData(DataMessage(text: "both", requiredSubchannel: 2), of: direct)
        try handle.sendData(DataMessage(text: "you"), to: consumers[2])
        room.world.run(for: .milliseconds(200))
        #expect(
            room.audience.map { $0.peer.data?.texts(on: 9) }
                == [["all", "some", "both"], ["all", "both"], ["all", "you"]])
    }

    @Test(arguments: [1, 2]) func `a room hears a producer, and is heard`(shards: Int) throws {
        let room = try DataWorld(shards: shards, audience: 1)
        let queue = EventQueue {}
        let key = try room.world.server.handle.openDirectDataConsumer(
            of: room.producer, largestMessage: 10, events: queue)
        room.world.run(for: .milliseconds(5))
        room.sender.peer.sendData(Array("hello".utf8), on: 0, .string)
        room.sender.peer.sendData(Array("far too long".utf8), on: 0, .string)
        room.world.run(for: .milliseconds(100))
        let texts = queue.drain().events.compactMap { event in
            if case .data(.messageReceived(key, let message)) = event { message.text } else { nil }
        }
        #expect(texts == ["hello"])
        #expect(room.world.server.value(.dataDroppedSlowConsumer) == 1)
    }

    @Test func `whoever closes a channel, the other side learns of it`() throws {
        let room = try DataWorld(audience: 2)
        let handle = room.world.server.handle
        room.sender.peer.resetData([0])
        room.audience[0].peer.resetData([DataWorld.stream])
        handle.closeDataConsumer(room.consumers[1])
        room.world.run(for: .seconds(1))
        #expect(
            room.sender.dataEvents.contains {
                if case .producerClosedByClient(room.producer) = $0 { true } else { false }
            })
        #expect(
            room.audience[0].dataEvents.contains {
                if case .consumerClosedByClient(room.consumers[0]) = $0 { true } else { false }
            })
        #expect(room.audience[1].peer.data?.closed == [DataWorld.stream])
        // Its stream begins again for another one.
        let again = try handle.openDataConsumer(
            DataConsumerSettings(stream: DataWorld.stream), of: room.producer, on: room.audience[1].transport)
        room.world.run(for: .milliseconds(100))
        try handle.sendData(DataMessage(text: "again"), to: again)
        room.world.run(for: .milliseconds(100))
        #expect(room.audience[1].peer.data?.texts(on: DataWorld.stream) == ["again"])
    }

    @Test func `a threshold is reported when what waits comes down to it`() throws {
        let room = try DataWorld(audience: 1)
        let handle = room.world.server.handle
        try handle.setBufferedAmountLowThreshold(room.consumers[0], 1000)
        room.world.run(for: .milliseconds(5))
        func reports() -> Int {
            room.audience[0].dataEvents.count { if case .bufferedAmountLow = $0 { true } else { false } }
        }
        #expect(reports() == 1)
        room.sender.peer.sendData([UInt8](repeating: 1, count: 100_000), on: 0)
        #expect(room.world.run(atMost: .seconds(3)) { room.hasArrived(1) })
        #expect(reports() == 2)
    }

    @Test func `a transport without SCTP takes none, and one that never needs it has no association`() throws {
        let world = try VirtualWorld()
        let (without, with) = (try world.join(), try world.join(data: DataTransportSettings()))
        #expect(world.connectAll())
        without.peer.connectData()
        world.run(for: .seconds(1))
        #expect(world.server.value(.dataUnexpected) > 0)
        #expect(without.sctpStates.isEmpty && with.sctpStates.isEmpty)
        #expect(world.server.withShard(0) { $0.data.associations.count } == 0)
        _ = try world.server.handle.openDataProducer(DataProducerSettings(stream: 0), on: without.transport)
        world.run(for: .milliseconds(10))
        #expect(without.failures.map(\.code) == [.invalidSetting])
    }

    @Test func `an association ends with its transport, and its client learns it`() throws {
        let room = try DataWorld(audience: 1)
        let member = room.audience[0]
        member.leave()
        room.world.run(for: .milliseconds(100))
        #expect(member.peer.data?.end == .abortedByPeer(SCTPErrorCause.userAbort))
        #expect(room.world.server.withShard(0) { ($0.data.associations.count, $0.data.consumers.count) } == (1, 0))
        #expect(room.world.server.withShard(0) { $0.data.feeds.isEmpty })
    }

    @Test(arguments: 0..<40) func `no client notices that its shards were replaced`(seed: Int) throws {
        let shards = seed % 3 + 1
        let room = try DataWorld(
            shards: shards, audience: 3, seed: UInt64(seed), settings: DataTransportSettings(sendBuffer: 2_000_000))
        room.world.network.conditions.delay = .milliseconds(20)
        room.world.network.conditions.loss = seed % 2 == 0 ? 0.02 : 0
        var random = SplitMix(seed: UInt64(seed) &+ 9)
        for number in 0..<40 {
            let size = Int.random(in: 1...30_000, using: &random)
            room.sender.peer.sendData(Self.content(size, number), on: 0)
            room.world.run(for: .milliseconds(Int.random(in: 1...60, using: &random)))
            try room.world.server.replaceShard(Int.random(in: 0..<shards, using: &random), at: room.world.now)
        }
        #expect(room.world.run(atMost: .seconds(60)) { room.hasArrived(40) })
        for member in room.audience {
            let received = try #require(member.peer.data?.received)
            #expect(received.count == 40)
            for (number, message) in received.enumerated() {
                #expect(message.payload == Self.content(message.payload.count, number))
            }
        }
    }
}
