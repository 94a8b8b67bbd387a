import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 5_000_000_000) + .milliseconds(milliseconds)
}

private func sound(_ producer: String, _ level: Int, count: Int = 5, at time: Int) -> AudioObservers.Levels {
    AudioObservers.Levels(producer: ProducerID(producer), total: level * count, count: count, time: ms(time))
}

@Suite struct AudioObserversTests {
    private var observers = AudioObservers()

    /// Reports every 100 ms.
    private mutating func run(_ times: Range<Int>, _ levels: [String: Int]) -> [AudioObservers.Event] {
        var events: [AudioObservers.Event] = []
        for time in stride(from: times.lowerBound, to: times.upperBound, by: 100) {
            let sounds = levels.sorted { $0.key < $1.key }.map { sound($0.key, $0.value, at: time) }
            events += observers.audioLevelsReceived(sounds)
        }
        return events
    }

    @Test mutating func `the loudest are reported every 800 ms, and silence once`() {
        let events = run(0..<1700, ["a": 40, "b": 30, "c": 100])
        let loud = AudioObservers.Event.volumes([
            .init(producer: ProducerID("b"), volume: -30), .init(producer: ProducerID("a"), volume: -40),
        ])
        #expect(events.filter { $0 == loud }.count == 2)
        #expect(run(1700..<3500, ["a": 100, "b": 127]).filter { $0 == .silence }.count == 1)
    }

    @Test mutating func `they listen only while there is something to hear`() {
        #expect(!observers.isListening && observers.timePassed(ms(0)).isEmpty)
        _ = run(0..<1300, ["a": 20])
        #expect(observers.isListening)
        var told = observers.timePassed(ms(1700))
        #expect(!told.contains(.silence), "the end of the first interval's sound is loud enough")
        told = observers.timePassed(ms(3250))
        #expect(told == [.silence])
        #expect(!observers.isListening)
        #expect(observers.timePassed(ms(9000)).isEmpty)
        _ = run(60_000..<60_100, ["a": 20])
        #expect(observers.isListening)
        #expect(run(60_100..<60_900, ["a": 20]).contains(.volumes([.init(producer: ProducerID("a"), volume: -20)])))
    }

    @Test mutating func `whoever speaks leads the conversation, though reports come in batches`() {
        var events = run(0..<1000, ["a": 110, "b": 110])
        #expect(events.contains(.dominant(ProducerID("a"))), "somebody always does")
        for start in stride(from: 1000, to: 4000, by: 1000) {
            events = run(start..<start + 900, ["a": 110, "b": 20])
            events += run(start + 900..<start + 1000, ["a": 110, "b": 90])
            if observers.dominant == ProducerID("b") { break }
        }
        #expect(observers.dominant == ProducerID("b"))
        #expect(observers.removeProducer(ProducerID("b")) == [.dominant(ProducerID("a"))])
    }

    @Test mutating func `a muted producer is not heard until it is resumed`() {
        _ = run(0..<700, ["a": 20, "b": 40])
        observers.setProducerPaused(ProducerID("a"), true)
        let told = observers.timePassed(ms(800))
        #expect(told.contains(.volumes([.init(producer: ProducerID("b"), volume: -40)])))
        observers.setProducerPaused(ProducerID("a"), false)
        let later = run(900..<1700, ["a": 20])
        #expect(later.contains(.volumes([.init(producer: ProducerID("a"), volume: -20)])))
    }
}

@Suite(.timeLimit(.minutes(15))) struct RoomSoundTests {
    @Test func `every peer hears who speaks, and when nobody does`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let visitor = try await fixture.connect("visitor")
        let room = alice.room
        let observed = room.observations()
        _ = try await alice.produce(.audio, audioParameters())
        let key = fixture.plane.producerKeys[0]
        for time in stride(from: 0, through: 900, by: 100) {
            await room.events.append(
                .audioLevels([AudioLevelReport(producer: key, levelSum: 100, count: 5, time: ms(time))]))
            await room.drain()
        }
        // Time the reports do not carry is the room's: silence is reported when no more come.
        while bob.client.log.count(where: { $0 == "activeSpeaker" }) < 2 {
            try await Task.sleep(for: .milliseconds(20))
        }
        let told = bob.client.notifications.filter { $0.method == "activeSpeaker" }.map(\.json.text)
        #expect(told.first == #"{"peerId":"alice","volume":-20}"#)
        #expect(told.last == #"{"peerId":null}"#)
        let speakers = bob.client.notifications.filter { $0.method == "speakingPeers" }.map(\.json.text)
        #expect(speakers.first == #"{"peerVolumes":[{"peerId":"alice","volume":-20}]}"#)
        #expect(speakers.last == #"{"peerVolumes":[]}"#)
        #expect(alice.client.log.contains("activeSpeaker") && !visitor.client.log.contains("activeSpeaker"))
        while await room.isListening { try await Task.sleep(for: .milliseconds(20)) }
        await room.close()
        var events: [RoomObservation] = []
        for await event in observed { events.append(event) }
        #expect(events.contains(.silence))
        #expect(events.contains { if case .dominantSpeaker = $0 { true } else { false } })
    }

    @Test func `a video's orientation is reported to the program`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let producer = try await alice.produce(.video, simulcastParameters())
        var observed = alice.room.observations().makeAsyncIterator()
        let orientation = VideoOrientation(camera: true, flip: false, rotation: 90)
        let key = fixture.plane.producerKeys[0]
        await alice.room.events.append(.videoOrientationChanged(ProducerKey(rawValue: 12345), orientation))
        await alice.room.events.append(.videoOrientationChanged(key, orientation))
        await alice.room.drain()
        #expect(await observed.next() == .videoOrientationChanged(producer, orientation))
    }

    @Test func `traces are switched on by the program and reported to it`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let producer = try await alice.produce(.audio, audioParameters())
        let consumer = try #require(bob.client.offers.first?.id)
        var observed = alice.room.observations().makeAsyncIterator()
        try await alice.room.traceProducer(producer, [.rtp, .sr])
        try await alice.room.traceConsumer(consumer, .nack)
        #expect(fixture.plane.names.suffix(2) == ["traceProducer", "traceConsumer"])
        let packet = TraceEvent(
            subject: .producer(fixture.plane.producerKeys[0]), kind: .rtp, time: ms(0), isIncoming: true, ssrc: SSRC(1))
        var nack = packet
        nack.subject = .consumer(fixture.plane.consumerKeys[0])
        for event in [packet, nack] { await alice.room.events.append(.trace(event)) }
        await alice.room.drain()
        #expect(await observed.next() == .producerTrace(producer, packet))
        #expect(await observed.next() == .consumerTrace(consumer, nack))
        await expectRefusal(.producerNotFound) { try await alice.room.traceProducer(ProducerID("x"), .rtp) }
        await expectRefusal(.consumerNotFound) { try await alice.room.traceConsumer(ConsumerID("x"), .rtp) }
        await alice.room.close()
        #expect(await observed.next() == nil)
        var late = alice.room.observations().makeAsyncIterator()
        #expect(await late.next() == nil, "a closed room has nothing to tell")
    }
}
