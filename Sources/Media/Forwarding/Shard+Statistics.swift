extension Shard {
    /// A snapshot of a transport with its producers and consumers; `nil` when it is gone.
    mutating func statistics(of key: TransportKey) -> TransportStatistics? {
        guard let transport = transportsByKey[key.rawValue] else { return nil }
        var result = TransportStatistics(key: key)
        result.iceState = transport.pointee.ice.state
        result.dtlsState = transport.pointee.dtlsState
        result.selectedTuple = selectedTuple(of: transport)
        result.srtpProfile = transport.pointee.profile?.rawValue
        result.bytesReceived = transport.pointee.bytesReceived
        result.packetsReceived = transport.pointee.packetsReceived
        result.bytesSent = transport.pointee.bytesSent
        result.packetsSent = transport.pointee.packetsSent
        for producer in transport.pointee.producers {
            var statistics = ProducerStatistics(key: producer.pointee.key)
            for (index, stream) in producer.pointee.streams.enumerated() {
                guard let stream else { continue }
                var streamStatistics = stream.pointee.stream.statistics(at: now)
                streamStatistics.rid = producer.pointee.settings.encodings[index].rid
                statistics.streams.append(streamStatistics)
            }
            result.producers.append(statistics)
        }
        for consumer in transport.pointee.consumers {
            result.consumers.append(consumer.pointee.stream.statistics(key: consumer.pointee.key, at: now))
        }
        return result
    }
}
