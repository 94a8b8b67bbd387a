extension Shard {
    /// A snapshot of a transport with its producers and consumers; `nil` when it is gone.
    mutating func statistics(of key: TransportKey) -> TransportStatistics? {
        guard let transport = transportsByKey[key.rawValue] else { return nil }
        var result = TransportStatistics(key: key)
        switch transport.pointee.association {
        case .webRTC(let webRTC):
            result.iceState = webRTC.pointee.ice.state
            result.dtlsState = webRTC.pointee.dtlsState
            result.selectedTuple = selectedTuple(of: transport)
        case .plain(let plain): result.plain = plain.pointee.tuples
        }
        result.srtpProfile = transport.pointee.protection.profile?.rawValue
        transport.pointee.history.traffic.sample(transport.pointee.traffic, at: now)
        result.bytes = transport.pointee.traffic
        result.bitrates = transport.pointee.history.traffic.bitrates(transport.pointee.traffic, at: now)
        result.packetsReceived = transport.pointee.packetsReceived
        result.packetsSent = transport.pointee.packetsSent
        result.packetLossReceived = transport.pointee.history.lossReceived.value
        result.packetLossSent = transport.pointee.history.lossSent.value
        for producer in transport.pointee.producers {
            var statistics = ProducerStatistics(key: producer.pointee.key)
            for (index, stream) in producer.pointee.streams.enumerated() {
                guard let stream else { continue }
                var streamStatistics = stream.pointee.received.statistics(at: now)
                streamStatistics.encoding = index
                stream.pointee.layerRates.forEach(at: now) { spatial, temporal, bitrate in
                    streamStatistics.layerBitrates.append(
                        LayerBitrate(
                            layers: ConsumerLayers(
                                spatial: UInt8(truncatingIfNeeded: spatial),
                                temporal: UInt8(truncatingIfNeeded: temporal)), bitrate: bitrate))
                }
                streamStatistics.score = stream.pointee.score.value
                streamStatistics.rid = producer.pointee.settings.encodings[index].rid
                statistics.streams.append(streamStatistics)
            }
            result.producers.append(statistics)
        }
        for consumer in transport.pointee.consumers {
            var statistics = consumer.pointee.stream.sent.statistics(key: consumer.pointee.key, at: now)
            statistics.encoding = consumer.pointee.stream.currentEncoding
            result.consumers.append(statistics)
        }
        return result
    }
}
