/// Data channels in a shard's snapshot: a section of its own, which a shard without any has not.
extension Shard {
    /// Whether there is anything to write down.
    var hasData: Bool {
        data.producers.count > 0
            || transports.slots.contains { transport in
                if case .webRTC(let webRTC) = transports[transport].association {
                    webRTCAssociations[webRTC].dataSettings != nil
                } else {
                    false
                }
            }
    }

    func writeData(to writer: inout SnapshotWriter) {
        let able = transports.slots.compactMap { transport in
            if case .webRTC(let webRTC) = transports[transport].association { (transport, webRTC) } else { nil }
        }.filter { webRTCAssociations[$0.1].dataSettings != nil }
        writer.writeUInt32(UInt32(truncatingIfNeeded: able.count))
        for (transport, webRTC) in able {
            guard let settings = webRTCAssociations[webRTC].dataSettings else { continue }
            writer.write(transport)
            writer.write(settings)
            let association = webRTCAssociations[webRTC].data
            writer.writeOptional(association)
            guard let association else { continue }
            writer.write(data.associations[association].hasFailed)
            writer.write(data.associations[association].sctp)
        }
        let producers = data.producers.slots
        writer.writeUInt32(UInt32(truncatingIfNeeded: producers.count))
        for producer in producers {
            writer.write(producer)
            writer.write(data.producers[producer])
        }
        let consumers = data.consumers.slots.filter { consumer in
            if case .stream = data.consumers[consumer].target { true } else { false }
        }
        writer.writeUInt32(UInt32(truncatingIfNeeded: consumers.count))
        for consumer in consumers {
            writer.write(consumer)
            writer.write(data.consumers[consumer])
        }
    }

    mutating func restoreData(from reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let transport: Slot<MediaTransport> = try reader.read()
            guard transports.contains(transport), case .webRTC(let webRTC) = transports[transport].association,
                webRTCAssociations[webRTC].dataSettings == nil
            else { throw .malformed }
            webRTCAssociations[webRTC].dataSettings = try reader.read()
            guard let slot: Slot<DataAssociation> = try reader.readOptional() else { continue }
            let hasFailed: Bool = try reader.read()
            var association = DataAssociation(transport: transport, sctp: try reader.read())
            association.hasFailed = hasFailed
            association.reportedState = association.state
            association.heldBytes = association.sctp.heldBytes
            data.held += association.heldBytes
            try data.associations.restore(association, at: slot)
            webRTCAssociations[webRTC].data = slot
            data.pending.append(slot)
            data.associations[slot].isPending = true
        }
        data.associations.endRestoring()
        for _ in 0..<(try reader.readUInt32()) {
            let slot: Slot<ShardDataProducer> = try reader.read()
            let producer: ShardDataProducer = try reader.read()
            guard producer.key.shard == index, producer.subscribedShards >> UInt64(links.count) == 0,
                data.producersByKey.updateValue(slot, forKey: producer.key.rawValue) == nil
            else { throw .malformed }
            if let source = producer.source {
                guard data.associations.contains(source.association),
                    data.associations[source.association].producers.updateValue(slot, forKey: source.stream) == nil
                else { throw .malformed }
            }
            try data.producers.restore(producer, at: slot)
        }
        data.producers.endRestoring()
        for _ in 0..<(try reader.readUInt32()) {
            let slot: Slot<ShardDataConsumer> = try reader.read()
            let consumer: ShardDataConsumer = try reader.read()
            guard consumer.key.shard == index, consumer.producer.shard < links.count,
                case .stream(let association, let settings) = consumer.target,
                data.associations.contains(association),
                data.associations[association].consumers.updateValue(slot, forKey: settings.stream) == nil,
                data.consumersByKey.updateValue(slot, forKey: consumer.key.rawValue) == nil
            else { throw .malformed }
            data.feeds[consumer.producer.rawValue, default: []].append(slot)
            try data.consumers.restore(consumer, at: slot)
        }
        data.consumers.endRestoring()
        guard reader.isAtEnd else { throw .malformed }
    }
}
