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
            guard let channels = data.associations[association].channels else { continue }
            writer.write(channels)
            writer.write(data.associations[association].early)
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
            let settings: DataTransportSettings = try reader.read()
            webRTCAssociations[webRTC].dataSettings = settings
            guard let slot: Slot<DataAssociation> = try reader.readOptional() else { continue }
            let hasFailed: Bool = try reader.read()
            var association = DataAssociation(transport: transport, settings: settings, sctp: try reader.read())
            association.hasFailed = hasFailed
            if let role = settings.inBandRole {
                var channels: DataChannels = try reader.read()
                guard channels.isClient == (role == .client) else { throw .malformed }
                channels.waitsForOwner = true
                association.channels = channels
                association.early = try reader.read()
            }
            association.reportedState = association.state
            association.heldBytes = association.held
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
                data.associations[source.association].flushesAt = earliest(
                    data.associations[source.association].flushesAt, producer.heldUntil)
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
