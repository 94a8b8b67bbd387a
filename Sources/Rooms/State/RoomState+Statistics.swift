import Media

extension RoomState {
    /// The transports whose counters answer a query.
    func transportKeys(of query: StatisticsQuery) -> [TransportKey] {
        switch query {
        case .transport(let id): return [transports[id]?.key].compactMap(\.self)
        case .producer(let id):
            return [producers[id].flatMap { transports[$0.transportID]?.key }].compactMap(\.self)
        case .consumer(let id):
            guard let consumer = consumers[id] else { return [] }
            let own = transports[consumer.transportID]?.key
            let source = producers[consumer.producerID].flatMap { transports[$0.transportID]?.key }
            return Set([own, source].compactMap(\.self)).sorted { $0.rawValue < $1.rawValue }
        }
    }

    /// A statistics array with mediasoup's field names; `nil` where what was asked about is gone.
    func statistics(
        _ query: StatisticsQuery, _ collected: CollectedStatistics, timestamp: Int64
    ) -> [JSONValue]? {
        switch query {
        case .transport(let id): transports[id].map { entries($0, collected, timestamp) }
        case .producer(let id): producers[id].map { entries($0, collected, timestamp) }
        case .consumer(let id): consumers[id].map { entries($0, collected, timestamp) }
        }
    }

    private func entries(_ transport: Transport, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        guard let statistics = collected.transports[transport.key] else { return [] }
        return [
            .fields([
                "type": .string("webrtc-transport"), "transportId": .string(transport.id.rawValue),
                "timestamp": .integer(timestamp), "iceRole": .string("controlled"),
                "iceState": .string(statistics.iceState.rawValue), "dtlsState": .string(statistics.dtlsState.rawValue),
                "iceSelectedTuple": statistics.selectedTuple?.json, "bytesReceived": .count(statistics.bytesReceived),
                "bytesSent": .count(statistics.bytesSent), "packetsReceived": .count(statistics.packetsReceived),
                "packetsSent": .count(statistics.packetsSent),
            ])
        ]
    }

    func entries(_ producer: Producer, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        guard let transport = transports[producer.transportID],
            let streams = collected.transports[transport.key]?.producers.first(where: { $0.key == producer.key })?
                .streams
        else { return [] }
        return streams.map { stream in
            .fields([
                "type": .string("inbound-rtp"), "timestamp": .integer(timestamp),
                "ssrc": .integer(Int64(stream.ssrc.rawValue)),
                "rtxSsrc": stream.rtxSSRC.map { .integer(Int64($0.rawValue)) }, "rid": stream.rid.map { .string($0) },
                "kind": .string(producer.kind.rawValue), "mimeType": .string(producer.mimeType),
                "packetsLost": .integer(stream.packetsLost), "fractionLost": .integer(Int64(stream.fractionLost)),
                "packetsDiscarded": .count(stream.packetsDiscarded),
                "packetsRetransmitted": .count(stream.packetsRetransmitted),
                "packetsRepaired": .count(stream.packetsRepaired), "nackCount": .count(stream.nackCount),
                "nackPacketCount": .count(stream.nackPacketCount), "pliCount": .count(stream.pliCount),
                "firCount": .count(stream.firCount), "jitter": .integer(Int64(stream.jitter)),
                "packetCount": .count(stream.packetsReceived), "byteCount": .count(stream.bytesReceived),
                "bitrate": .count(stream.bitrate), "roundTripTime": stream.roundTripTime.map(Self.milliseconds),
            ])
        }
    }

    func entries(_ consumer: Consumer, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        guard let transport = transports[consumer.transportID], let key = consumer.key,
            let sent = collected.transports[transport.key]?.consumers.first(where: { $0.key == key })
        else { return [] }
        let outbound = JSONValue.fields([
            "type": .string("outbound-rtp"), "timestamp": .integer(timestamp),
            "ssrc": .integer(Int64(sent.ssrc.rawValue)),
            "rtxSsrc": consumer.parameters.encodings.first?.rtxSSRC.map { .integer(Int64($0)) },
            "kind": .string(consumer.kind.rawValue), "mimeType": .string(consumer.mimeType),
            "packetsLost": .integer(sent.packetsLost), "fractionLost": .integer(Int64(sent.fractionLost)),
            "packetsRetransmitted": .count(sent.packetsRetransmitted), "nackCount": .count(sent.nackCount),
            "nackPacketCount": .count(sent.nackPacketCount), "pliCount": .count(sent.pliCount),
            "firCount": .count(sent.firCount), "packetCount": .count(sent.packetsSent),
            "byteCount": .count(sent.bytesSent), "bitrate": .count(sent.bitrate),
            "roundTripTime": sent.roundTripTime.map(Self.milliseconds),
        ])
        // mediasoup adds the stream that is being forwarded; of several, which one is not known here.
        guard let producer = producers[consumer.producerID], producer.type == .simple else { return [outbound] }
        return [outbound] + entries(producer, collected, timestamp)
    }

    private static func milliseconds(_ duration: MediaDuration) -> JSONValue {
        .normalized(Double(duration.nanoseconds) / 1e6)
    }
}

extension RoomSnapshot {
    init(_ state: RoomState, _ collected: CollectedStatistics, timestamp: Int64) {
        let peers = state.orderedPeers.map { peer in
            let transports = peer.transportIDs.compactMap { state.transports[$0] }.map { transport in
                let statistics = collected.transports[transport.key]
                return TransportSnapshot(
                    id: transport.id, shard: transport.key.shard, iceState: transport.iceState,
                    dtlsState: transport.dtlsState, selectedTuple: transport.selectedTuple, statistics: statistics,
                    producers: transport.producerIDs.compactMap { state.producers[$0] }.map { producer in
                        ProducerSnapshot(
                            id: producer.id, kind: producer.kind, type: producer.type, mimeType: producer.mimeType,
                            isPaused: producer.isPaused, statistics: state.entries(producer, collected, timestamp))
                    },
                    consumers: transport.consumerIDs.compactMap { state.consumers[$0] }.map { consumer in
                        ConsumerSnapshot(
                            id: consumer.id, producerID: consumer.producerID, kind: consumer.kind,
                            mimeType: consumer.mimeType, isPaused: consumer.isSilent,
                            isProducerPaused: state.producers[consumer.producerID]?.isPaused ?? false,
                            statistics: state.entries(consumer, collected, timestamp))
                    })
            }
            return PeerSnapshot(peer: peer.description, isJoined: peer.isJoined, transports: transports)
        }
        self.init(id: state.id, peers: peers, isComplete: collected.isComplete)
    }
}
