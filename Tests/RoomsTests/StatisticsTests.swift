import RoundhouseMedia
import Testing

@testable import RoundhouseRooms

/// The names of mediasoup's statistics, as its documentation lists them.
private enum StatisticsNames {
    /// Every transport; then what only a WebRTC one has. Those of bandwidth estimation and of data channels are missing:
    /// mediasoup leaves them out where a transport does not have them.
    static let transport: Set = [
        "type", "transportId", "timestamp", "bytesReceived", "recvBitrate", "bytesSent", "sendBitrate",
        "rtpBytesReceived", "rtpRecvBitrate", "rtpBytesSent", "rtpSendBitrate", "rtxBytesReceived", "rtxRecvBitrate",
        "rtxBytesSent", "rtxSendBitrate", "probationBytesSent", "probationSendBitrate", "rtpPacketLossReceived",
        "rtpPacketLossSent", "iceRole", "iceState", "iceSelectedTuple", "dtlsState",
    ]
    /// Both directions.
    static let stream: Set = [
        "type", "timestamp", "ssrc", "rtxSsrc", "kind", "mimeType", "packetsLost", "fractionLost",
        "packetsDiscarded", "packetsRetransmitted", "packetsRepaired", "nackCount", "nackPacketCount", "pliCount",
        "firCount", "score", "roundTripTime", "jitter", "packetCount", "byteCount", "bitrate",
    ]
    static let inbound = stream.union(["rid", "rtxPacketsDiscarded", "bitrateByLayer"])
    static let outbound = stream
    /// What may be missing of a stream that has nothing to say of it.
    static let optional: Set = ["rtxSsrc", "rid", "score", "roundTripTime", "rtxPacketsDiscarded", "bitrateByLayer"]
}

@Suite("Statistics")
struct StatisticsTests {
    private func names(_ entry: JSONValue?) -> Set<String> {
        if case .object(let fields)? = entry { Set(fields.keys) } else { [] }
    }

    private func fields(_ entry: JSONValue?) -> [String: JSONValue] {
        if case .object(let fields)? = entry { fields } else { [:] }
    }

    private func tuple() -> TransportTuple {
        TransportTuple(
            localAddress: "192.0.2.1", localPort: 44444, remoteAddress: "192.0.2.2", remotePort: 5000, transport: .udp)
    }

    @Test func `a transport's statistics have mediasoup's names and no others`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let state = await alice.room.state
        let key = try #require(state.transports[alice.sending]?.key)
        var statistics = TransportStatistics(key: key)
        statistics.selectedTuple = tuple()
        statistics.packetLossReceived = 0.25
        statistics.packetLossSent = 0
        statistics.bytes.rtxSent = 77
        statistics.bitrates.rtpReceived = 88
        let collected = CollectedStatistics(transports: [key: statistics], isComplete: true)
        let entry = state.statistics(.transport(alice.sending), collected, timestamp: 7)?.first
        #expect(names(entry) == StatisticsNames.transport)
        #expect(fields(entry)["rtpPacketLossReceived"] == .number(0.25))
        #expect(fields(entry)["rtxBytesSent"] == .integer(77))
        #expect(fields(entry)["rtpRecvBitrate"] == .integer(88))
        // What there is nothing to say of is left out, as mediasoup does.
        let bare = CollectedStatistics(transports: [key: TransportStatistics(key: key)], isComplete: true)
        #expect(
            names(state.statistics(.transport(alice.sending), bare, timestamp: 7)?.first)
                == StatisticsNames.transport.subtracting([
                    "iceSelectedTuple", "rtpPacketLossReceived", "rtpPacketLossSent",
                ]))
    }

    @Test func `streams have mediasoup's names and no others, and a consumer's come with the stream it forwards`()
        async throws
    {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let producerID = try await alice.produce(.video, simulcastParameters())
        await bob.answer(.accepted)
        let state = await bob.room.state
        let consumer = try #require(state.consumers.values.first)
        let producer = try #require(state.producers[producerID])
        let sending = try #require(state.transports[alice.sending]?.key)
        let receiving = try #require(state.transports[bob.receiving]?.key)

        var first = ReceiveStreamStatistics(ssrc: SSRC(1))
        first.encoding = 0
        var second = ReceiveStreamStatistics(ssrc: SSRC(2))
        second.encoding = 1
        second.rtxSSRC = SSRC(3)
        second.rid = "r1"
        second.score = 9
        second.roundTripTime = .milliseconds(12)
        second.rtxPacketsDiscarded = 4
        second.packetsLost = -2
        second.layerBitrates = [
            LayerBitrate(layers: ConsumerLayers(spatial: 0, temporal: 0), bitrate: 100),
            LayerBitrate(layers: ConsumerLayers(spatial: 0, temporal: 1), bitrate: 150),
        ]
        var published = ProducerStatistics(key: producer.key)
        published.streams = [first, second]
        var sent = ConsumerStatistics(key: try #require(consumer.key), ssrc: SSRC(9))
        sent.roundTripTime = .milliseconds(20)
        sent.encoding = 1
        var source = TransportStatistics(key: sending)
        source.producers = [published]
        var destination = TransportStatistics(key: receiving)
        destination.consumers = [sent]
        let collected = CollectedStatistics(transports: [sending: source, receiving: destination], isComplete: true)

        let inbound = try #require(state.statistics(.producer(producerID), collected, timestamp: 7))
        #expect(inbound.count == 2)
        #expect(names(inbound[0]) == StatisticsNames.inbound.subtracting(StatisticsNames.optional))
        #expect(names(inbound[1]) == StatisticsNames.inbound)
        #expect(fields(inbound[1])["type"] == .string("inbound-rtp"))
        #expect(fields(inbound[1])["packetsLost"] == .integer(-2))
        #expect(fields(inbound[1])["roundTripTime"] == .integer(12))
        #expect(fields(inbound[1])["bitrateByLayer"] == .object(["0.0": .integer(100), "0.1": .integer(150)]))

        let both = try #require(state.statistics(.consumer(consumer.id), collected, timestamp: 7))
        #expect(names(both.first) == StatisticsNames.outbound)
        #expect(fields(both.first)["type"] == .string("outbound-rtp"))
        #expect(fields(both.first)["ssrc"] == .integer(9))
        #expect(both.dropFirst().first == inbound[1] && both.count == 2)

        // While nothing is forwarded there is no stream to show.
        destination.consumers[0].encoding = nil
        let idle = CollectedStatistics(transports: [sending: source, receiving: destination], isComplete: true)
        #expect(state.statistics(.consumer(consumer.id), idle, timestamp: 7)?.count == 1)
    }
}
