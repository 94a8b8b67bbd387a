import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite(.timeLimit(.minutes(15))) struct RoomMinutesTests {
    private static let minute: Int64 = 60_000

    /// What Ann's transport and Ben's have counted: `packets` each way, and of them those that were lost.
    private static func look(
        _ ann: TransportKey, _ ben: TransportKey, packets: UInt64, lost: (ann: Int64, ben: Int64),
        isComplete: Bool = true
    ) -> CollectedStatistics {
        var sending = TransportStatistics(key: ann)
        sending.bytes.received = packets * 1000
        var stream = ReceiveStreamStatistics(ssrc: SSRC(1))
        (stream.packetsReceived, stream.packetsLost) = (packets, lost.ann)
        var producer = ProducerStatistics(key: ProducerKey(rawValue: 1))
        producer.streams = [stream]
        sending.producers = [producer]
        var receiving = TransportStatistics(key: ben)
        receiving.bytes.sent = packets * 500
        var consumer = ConsumerStatistics(key: ConsumerKey(rawValue: 2), ssrc: SSRC(2))
        (consumer.packetsSent, consumer.packetsLost) = (packets, lost.ben)
        consumer.roundTripTime = MediaDuration.milliseconds(40)
        receiving.consumers = [consumer]
        return CollectedStatistics(transports: [ann: sending, ben: receiving], isComplete: isComplete)
    }

    private static func room() async throws -> (state: RoomState, ann: TransportKey, ben: TransportKey) {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        let ben = try await fixture.join("ben")
        let state = await ben.room.state
        return (
            state, try #require(state.transports[ann.sending]?.key), try #require(state.transports[ben.receiving]?.key)
        )
    }

    @Test func `a minute has what is new in it: rates, losses, the longest round trip, and whose network was worst`()
        async throws
    {
        let (state, ann, ben) = try await Self.room()
        var minutes = RoomMinutes()
        minutes.take(
            Self.look(ann, ben, packets: 900, lost: (100, 0)), of: state, openedAt: 0, until: Self.minute)
        minutes.take(
            Self.look(ann, ben, packets: 1900, lost: (100, 250)), of: state, openedAt: 0, until: 2 * Self.minute)
        let first = try #require(minutes.minutes.first)
        #expect(first.from == 0 && first.until == Self.minute && first.peers == 2)
        #expect(first.receivedBitrate == 900 * 8000 / 60 && first.sentBitrate == 900 * 4000 / 60)
        #expect(first.lossReceived == 0.1 && first.lossSent == 0 && first.roundTrip == 40)
        #expect(first.worst == RoomMinute.Worst(peerID: PeerID("ann"), displayName: "ANN", loss: 0.1))
        let second = try #require(minutes.minutes.last)
        #expect(second.from == Self.minute && second.receivedBitrate == 1000 * 8000 / 60)
        #expect(second.lossReceived == 0 && second.lossSent == 0.25)
        #expect(second.worst == RoomMinute.Worst(peerID: PeerID("ben"), displayName: "BEN", loss: 0.25))
    }

    @Test func `what media threads did not say in time belongs to the next minute`() async throws {
        let (state, ann, ben) = try await Self.room()
        var minutes = RoomMinutes()
        minutes.take(
            Self.look(ann, ben, packets: 500, lost: (0, 0), isComplete: false), of: state, openedAt: 0,
            until: Self.minute)
        #expect(minutes.minutes.isEmpty)
        minutes.take(
            Self.look(ann, ben, packets: 1200, lost: (0, 0)), of: state, openedAt: 0, until: 2 * Self.minute)
        #expect(minutes.minutes.map(\.from) == [0] && minutes.minutes.map(\.receivedBitrate) == [1200 * 8000 / 120])
    }

    @Test func `counters of any size and direction make shares from 0 to 1`() async throws {
        let (state, ann, ben) = try await Self.room()
        var minutes = RoomMinutes()
        let odd: [(UInt64, Int64)] = [(.max, .max), (0, .min), (.max, .max), (1, .min), (0, .max), (.max, 0)]
        for (index, (packets, lost)) in odd.enumerated() {
            let look = Self.look(ann, ben, packets: packets / 1000, lost: (lost, lost))
            minutes.take(look, of: state, openedAt: 0, until: Int64(index + 1) * Self.minute)
        }
        #expect(minutes.minutes.count == odd.count)
        for minute in minutes.minutes {
            #expect(minute.lossReceived.map { (0...1).contains($0) } ?? true)
            #expect(minute.lossSent.map { (0...1).contains($0) } ?? true)
        }
    }

    @Test func `an hour is kept, and goes with the room into the history of those that have ended`() async throws {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        #expect(await ann.room.lastHour.isEmpty)
        await fixture.registry.endMinute()
        // A clock that stands still, or goes back, ends no minute; whether a millisecond has passed is the machine's.
        let kept = await ann.room.lastHour
        #expect(kept.count <= 1)
        let state = await ann.room.state
        var minutes = RoomMinutes()
        for number in 1...100 {
            minutes.take(
                CollectedStatistics(transports: [:], isComplete: true), of: state, openedAt: 0,
                until: Int64(number) * Self.minute)
        }
        #expect(minutes.minutes.count == RoomMinutes.limit)
        #expect(minutes.minutes.last?.until == 100 * Self.minute && minutes.minutes.last?.lossSent == nil)
        await ann.room.close()
        await fixture.registry.endMinute()
        #expect(fixture.registry.history.records.first?.minutes == kept)
    }
}
