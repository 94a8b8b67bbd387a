import RoundhouseMedia

extension RoomState {
    func entries(_ producer: DataProducer, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        let statistics = producer.source.flatMap { transports[$0.transportID] }
            .flatMap { collected.transports[$0.key]?.data?.producers.first { $0.key == producer.key } }
        return [
            .fields([
                "type": .string("data-producer"), "timestamp": .integer(timestamp), "label": .string(producer.label),
                "protocol": .string(producer.protocolName),
                "messagesReceived": .count(statistics?.messagesReceived ?? 0),
                "bytesReceived": .count(statistics?.bytesReceived ?? 0),
                "messagesDropped": .count(statistics?.messagesDropped ?? 0),
            ])
        ]
    }

    func entries(_ consumer: DataConsumer, _ collected: CollectedStatistics, _ timestamp: Int64) -> [JSONValue] {
        let statistics = transports[consumer.transportID]
            .flatMap { collected.transports[$0.key]?.data?.consumers.first { $0.key == consumer.key } }
        return [
            .fields([
                "type": .string("data-consumer"), "timestamp": .integer(timestamp), "label": .string(consumer.label),
                "protocol": .string(consumer.protocolName), "messagesSent": .count(statistics?.messagesSent ?? 0),
                "bytesSent": .count(statistics?.bytesSent ?? 0),
                "bufferedAmount": .count(UInt64(statistics?.bufferedAmount ?? 0)),
                "messagesDropped": .count(statistics?.messagesDropped ?? 0),
            ])
        ]
    }
}

extension DataTransportStatistics {
    /// Times in milliseconds, sizes in bytes.
    var json: JSONValue {
        .fields([
            "state": .string(state.rawValue), "bufferedAmount": .count(UInt64(bufferedAmount)),
            "congestionWindow": .count(UInt64(congestionWindow)), "bytesInFlight": .count(UInt64(flight)),
            "roundTripTime": roundTripTime.map { .normalized(Double($0.nanoseconds) / 1e6) },
            "retransmittedChunks": .count(retransmittedChunks), "expiredMessages": .count(expiredMessages),
            "oversizeMessages": .count(oversizeMessages),
        ])
    }
}
