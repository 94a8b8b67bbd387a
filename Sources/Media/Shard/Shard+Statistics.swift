extension Shard {
    /// A snapshot of a transport with its producers and consumers; `nil` when it is gone.
    mutating func statistics(of key: TransportKey, _ detail: StatisticsDetail = []) -> TransportStatistics? {
        guard let transport = transportsByKey[key.rawValue] else { return nil }
        var result = TransportStatistics(key: key)
        result.takenAt = now
        addAssociation(of: transport, to: &result)
        result.srtpProfile = transports[transport].protection.profile?.rawValue
        transports[transport].history.traffic.sample(transports[transport].traffic, at: now)
        result.bytes = transports[transport].traffic
        result.bitrates = transports[transport].history.traffic.bitrates(transports[transport].traffic, at: now)
        result.packetsReceived = transports[transport].packetsReceived
        result.packetsSent = transports[transport].packetsSent
        result.packetsOverLimit = transports[transport].bucket.refused
        result.packetLossReceived = transports[transport].history.lossReceived.value
        result.packetLossSent = transports[transport].history.lossSent.value
        if let bandwidth = transports[transport].bandwidth, bandwidths[bandwidth].hasFeedback {
            result.bandwidth = bandwidths[bandwidth].state
            if detail.contains(.history) { result.history = bandwidths[bandwidth].history }
        }
        if let bandwidth = transports[transport].bandwidth {
            result.isRecording = bandwidths[bandwidth].recorder != nil
            if detail.contains(.recording) { result.recording = bandwidths[bandwidth].recording(at: now) }
        }
        if let incoming = transports[transport].incoming {
            result.availableIncoming = incomings[incoming].isMeasuring ? incomings[incoming].bitrate : nil
            result.maximumIncoming = incomings[incoming].maximum.flatMap { $0 < IncomingBandwidth.unlimited ? $0 : nil }
        }
        for producer in transports[transport].producers {
            var statistics = ProducerStatistics(key: producers[producer].key)
            statistics.packetsOverLimit = producers[producer].bucket.refused
            for (index, stream) in producers[producer].streams.enumerated() {
                guard let stream else { continue }
                var streamStatistics = streams[stream].received.statistics(at: now)
                streamStatistics.encoding = index
                streams[stream].layerRates.forEach(at: now) { spatial, temporal, bitrate in
                    streamStatistics.layerBitrates.append(
                        LayerBitrate(
                            layers: ConsumerLayers(
                                spatial: UInt8(truncatingIfNeeded: spatial),
                                temporal: UInt8(truncatingIfNeeded: temporal)), bitrate: bitrate))
                }
                streamStatistics.score = streams[stream].score.value
                streamStatistics.rid = producers[producer].settings.encodings[index].rid
                statistics.streams.append(streamStatistics)
            }
            result.producers.append(statistics)
        }
        let shares = transports[transport].bandwidth.map { bandwidths[$0].allocator.sharesByConsumer } ?? [:]
        for consumer in transports[transport].consumers {
            var statistics = consumers[consumer].stream.sent.statistics(key: consumers[consumer].key, at: now)
            statistics.encoding = consumers[consumer].stream.currentEncoding
            if let share = shares[consumer] {
                statistics.reason = share.reason
                statistics.nextStep = share.nextStep
            }
            result.consumers.append(statistics)
        }
        return result
    }
}
