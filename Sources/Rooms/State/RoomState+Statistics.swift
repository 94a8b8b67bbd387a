import RoundhouseMedia

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
        case .dataProducer(let id):
            return [data.producers[id]?.source.flatMap { transports[$0.transportID]?.key }].compactMap(\.self)
        case .dataConsumer(let id):
            return [data.consumers[id].flatMap { transports[$0.transportID]?.key }].compactMap(\.self)
        }
    }

    /// A statistics array with mediasoup's field names; `nil` if what was asked about is gone.
    func statistics(
        _ query: StatisticsQuery, _ collected: CollectedStatistics, timestamp: Int64
    ) -> [JSONValue]? {
        switch query {
        case .transport(let id): transports[id].map { entries($0, collected, timestamp) }
        case .producer(let id): producers[id].map { entries($0, collected, timestamp) }
        case .consumer(let id): consumers[id].map { entries($0, collected, timestamp) }
        case .dataProducer(let id): data.producers[id].map { entries($0, collected, timestamp) }
        case .dataConsumer(let id): data.consumers[id].map { entries($0, collected, timestamp) }
        }
    }

    private func entries(_ transport: Transport, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        guard let statistics = collected.transports[transport.key] else { return [] }
        return [
            .fields([
                "transportId": .string(transport.id.rawValue), "timestamp": .integer(timestamp),
                "sctpState": statistics.data.map { .string($0.state.rawValue) },
                "sctp": statistics.data.map(\.json),
                "bytesReceived": .count(statistics.bytes.received),
                "recvBitrate": .count(statistics.bitrates.received), "bytesSent": .count(statistics.bytes.sent),
                "sendBitrate": .count(statistics.bitrates.sent),
                "rtpBytesReceived": .count(statistics.bytes.rtpReceived),
                "rtpRecvBitrate": .count(statistics.bitrates.rtpReceived),
                "rtpBytesSent": .count(statistics.bytes.rtpSent),
                "rtpSendBitrate": .count(statistics.bitrates.rtpSent),
                "rtxBytesReceived": .count(statistics.bytes.rtxReceived),
                "rtxRecvBitrate": .count(statistics.bitrates.rtxReceived),
                "rtxBytesSent": .count(statistics.bytes.rtxSent),
                "rtxSendBitrate": .count(statistics.bitrates.rtxSent),
                "probationBytesSent": .count(statistics.bytes.probationSent),
                "probationSendBitrate": .count(statistics.bitrates.probationSent),
                "rtpPacketLossReceived": statistics.packetLossReceived.map { .normalized($0) },
                "rtpPacketLossSent": statistics.packetLossSent.map { .normalized($0) },
                "availableOutgoingBitrate": statistics.bandwidth.map { .count($0.estimate) },
                "availableIncomingBitrate": statistics.availableIncoming.map { .count($0) },
                "maxIncomingBitrate": statistics.maximumIncoming.map { .count($0) },
                "maxOutgoingBitrate": transport.bitrates.maximumOutgoing.map { .count($0) },
                "minOutgoingBitrate": transport.bitrates.minimumOutgoing.map { .count($0) },
                "bandwidth": statistics.bandwidth.map(\.json),
            ]).merging(transport.pathEntry(statistics))
        ]
    }

    func entries(_ producer: Producer, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        guard let streams = streams(of: producer, collected) else { return [] }
        return streams.map { entry($0, of: producer, timestamp) }
    }

    private func entry(_ stream: ReceiveStreamStatistics, of producer: Producer, _ timestamp: Int64) -> JSONValue {
        .fields([
            "type": .string("inbound-rtp"), "timestamp": .integer(timestamp),
            "ssrc": .integer(Int64(stream.ssrc.rawValue)),
            "rtxSsrc": stream.rtxSSRC.map { .integer(Int64($0.rawValue)) }, "rid": stream.rid.map { .string($0) },
            "kind": .string(producer.kind.rawValue), "mimeType": .string(producer.mimeType),
            "packetsLost": .integer(stream.packetsLost), "fractionLost": .integer(Int64(stream.fractionLost)),
            "packetsDiscarded": .count(stream.packetsDiscarded),
            "rtxPacketsDiscarded": stream.rtxPacketsDiscarded.map { .count($0) },
            "packetsRetransmitted": .count(stream.packetsRetransmitted),
            "packetsRepaired": .count(stream.packetsRepaired), "nackCount": .count(stream.nackCount),
            "nackPacketCount": .count(stream.nackPacketCount), "pliCount": .count(stream.pliCount),
            "firCount": .count(stream.firCount), "jitter": .integer(Int64(stream.jitter)),
            "packetCount": .count(stream.packetsReceived), "byteCount": .count(stream.bytesReceived),
            "bitrate": .count(stream.bitrate), "roundTripTime": stream.roundTripTime.map(Self.milliseconds),
            "score": stream.score.map { .count(UInt64($0)) },
            "bitrateByLayer": stream.layerBitrates.isEmpty ? nil : Self.byLayer(stream.layerBitrates),
        ])
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
            "packetsDiscarded": .count(0), "packetsRetransmitted": .count(sent.packetsRetransmitted),
            "packetsRepaired": .count(sent.packetsRepaired), "score": .count(UInt64(sent.score)),
            "jitter": .integer(Int64(sent.jitter)), "nackCount": .count(sent.nackCount),
            "nackPacketCount": .count(sent.nackPacketCount), "pliCount": .count(sent.pliCount),
            "firCount": .count(sent.firCount), "packetCount": .count(sent.packetsSent),
            "byteCount": .count(sent.bytesSent), "bitrate": .count(sent.bitrate),
            "roundTripTime": sent.roundTripTime.map(Self.milliseconds),
            "layerReason": sent.reason.map { .string("\($0)") },
            "nextStepBitrate": sent.nextStep > 0 ? .count(sent.nextStep) : nil,
        ])
        // mediasoup adds the stream that is being forwarded.
        guard let producer = producers[consumer.producerID], let encoding = sent.encoding,
            let stream = streams(of: producer, collected)?.first(where: { $0.encoding == encoding })
        else { return [outbound] }
        return [outbound, entry(stream, of: producer, timestamp)]
    }

    private func streams(of producer: Producer, _ collected: CollectedStatistics) -> [ReceiveStreamStatistics]? {
        guard let transport = transports[producer.transportID] else { return nil }
        return collected.transports[transport.key]?.producers.first { $0.key == producer.key }?.streams
    }

    /// Keys are "S.T".
    private static func byLayer(_ rates: [LayerBitrate]) -> JSONValue {
        .object(
            Dictionary(
                rates.map { ("\($0.layers.spatial).\($0.layers.temporal)", .count($0.bitrate)) },
                uniquingKeysWith: { first, _ in first }))
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
                    id: transport.id, shard: transport.key.shard, path: transport.path(statistics),
                    statistics: statistics, warnings: transport.warnings, bitrates: transport.bitrates,
                    producers: transport.producerIDs.compactMap { state.producers[$0] }.map { producer in
                        ProducerSnapshot(
                            id: producer.id, kind: producer.kind, type: producer.type, mimeType: producer.mimeType,
                            source: producer.source, appData: producer.appData, isPaused: producer.isPaused,
                            scores: producer.scores,
                            packetsOverLimit: statistics?.producers.first { $0.key == producer.key }?.packetsOverLimit,
                            statistics: state.entries(producer, collected, timestamp))
                    },
                    consumers: transport.consumerIDs.compactMap { state.consumers[$0] }.map { consumer in
                        ConsumerSnapshot(
                            id: consumer.id, producerID: consumer.producerID, kind: consumer.kind,
                            type: consumer.type, mimeType: consumer.mimeType, isPaused: consumer.isSilent,
                            isProducerPaused: state.producers[consumer.producerID]?.isPaused ?? false,
                            score: consumer.ownScore,
                            currentLayers: consumer.type == .simple ? nil : consumer.currentLayers,
                            statistics: state.entries(consumer, collected, timestamp))
                    },
                    sctp: transport.data.map { channels in
                        DataTransportSnapshot(
                            state: channels.state, statistics: statistics?.data,
                            producers: channels.producerIDs.compactMap { state.data.producers[$0] }.map { producer in
                                DataProducerSnapshot(
                                    producer: producer.description, parameters: producer.source?.parameters,
                                    isPaused: producer.isPaused,
                                    statistics: state.entries(producer, collected, timestamp))
                            },
                            consumers: channels.consumerIDs.compactMap { state.data.consumers[$0] }.map { consumer in
                                DataConsumerSnapshot(
                                    id: consumer.id, dataProducerID: consumer.producerID, label: consumer.label,
                                    parameters: consumer.parameters, isPaused: consumer.isPaused,
                                    subchannels: consumer.subchannels,
                                    statistics: state.entries(consumer, collected, timestamp))
                            })
                    })
            }
            return PeerSnapshot(
                peer: peer.description, isJoined: peer.isJoined, connectedAt: peer.connectedAt, joinedAt: peer.joinedAt,
                permissions: peer.grant.permissions, address: peer.grant.address, transports: transports,
                unsupportedProducers: peer.unsupportedProducers)
        }
        self.init(id: state.id, peers: peers, isComplete: collected.isComplete)
    }
}
