/// A whole shard, written down between two ticks and continued by another process: no client notices.
///
/// Sockets, the rings between shards and rooms' event queues are not part of it: they are handed over by themselves, and
/// `restore` is given those of each transport. Handshakes under way begin again.
extension Shard {
    /// Everything that has to be known to continue elsewhere. The shard must do nothing from now on: two that use the same
    /// keys would use the same nonces.
    /// - Returns: `nil` if the key of some transport is not known.
    mutating func snapshot() -> [UInt8]? {
        closeAllConnections()
        // What associations have to answer is not written down.
        for _ in 0..<64 where !data.pending.isEmpty { sendData() }
        if !arena.isEmpty { flush() }
        for transport in transports.slots where !transports[transport].protection.isWritable { return nil }
        var snapshot = SnapshotWriter()
        SnapshotSection.shard.write(to: &snapshot) { writeLists(to: &$0) }
        SnapshotSection.transports.write(to: &snapshot) { writeTransports(to: &$0) }
        SnapshotSection.producers.write(to: &snapshot) { write(producers, to: &$0) }
        SnapshotSection.streams.write(to: &snapshot) { write(streams, to: &$0) }
        SnapshotSection.feeds.write(to: &snapshot) { write(feeds, to: &$0) }
        SnapshotSection.consumers.write(to: &snapshot) { write(consumers, to: &$0) }
        let paced = transports.slots.filter { transports[$0].history.pace != FeedbackPace() }
        if !paced.isEmpty { SnapshotSection.paces.write(to: &snapshot) { writePaces(of: paced, to: &$0) } }
        if incomings.count > 0 { SnapshotSection.incomings.write(to: &snapshot) { writeIncomings(to: &$0) } }
        if bandwidths.count > 0 { SnapshotSection.bandwidths.write(to: &snapshot) { writeBandwidths(to: &$0) } }
        if hasData { SnapshotSection.data.write(to: &snapshot) { writeData(to: &$0) } }
        return snapshot.bytes
    }

    /// Continues the shard that a snapshot was taken of; this one is new, and has the same index and addresses.
    /// - Parameters:
    ///   - events: a transport's room's queue.
    ///   - sockets: a plain transport's.
    /// - Throws: for a snapshot that is damaged, of another version, or contradicts itself. Then this shard is of no use.
    mutating func restore(
        _ snapshot: [UInt8], events: (TransportKey) -> EventQueue?, sockets: (TransportKey) -> PlainSockets?
    ) throws(WireError) {
        let sections = try SnapshotSection.read(snapshot)
        func section(_ section: SnapshotSection) throws(WireError) -> SnapshotReader {
            guard let reader = sections[section] else { throw .malformed }
            return reader
        }
        var reader = try section(.transports)
        try restoreTransports(from: &reader, events: events, sockets: sockets)
        guard reader.isAtEnd else { throw .malformed }
        reader = try section(.producers)
        try Self.restore(&producers, from: &reader)
        reader = try section(.streams)
        try Self.restore(&streams, from: &reader)
        reader = try section(.feeds)
        try Self.restore(&feeds, from: &reader)
        reader = try section(.consumers)
        try Self.restore(&consumers, from: &reader)
        reader = try section(.shard)
        try restoreLists(from: &reader)
        guard reader.isAtEnd else { throw .malformed }
        try checkReferences()
        indexKeys()
        if var reader = sections[.bandwidths] { try restoreBandwidths(from: &reader) }
        if var reader = sections[.paces] { try restorePaces(from: &reader) }
        if var reader = sections[.incomings] { try restoreIncomings(from: &reader) }
        if var reader = sections[.data] { try restoreData(from: &reader) }
        for transport in transports.slots {
            guard let deadline = nextDeadline(of: transport) else { continue }
            timers.schedule(Int(transport.index), at: deadline)
        }
    }

    // MARK: Objects

    private func write<Element: Restorable & ~Copyable>(
        _ map: borrowing SlotMap<Element>, to writer: inout SnapshotWriter
    ) {
        let slots = map.slots
        writer.writeUInt32(UInt32(truncatingIfNeeded: slots.count))
        for slot in slots {
            writer.write(slot)
            writer.write(map[slot])
        }
    }

    private static func restore<Element: Restorable & ~Copyable>(
        _ map: inout SlotMap<Element>, from reader: inout SnapshotReader
    ) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let slot: Slot<Element> = try reader.read()
            try map.restore(try reader.read(), at: slot)
        }
        map.endRestoring()
        guard reader.isAtEnd else { throw .malformed }
    }

    private func writeTransports(to writer: inout SnapshotWriter) {
        let slots = transports.slots
        writer.writeUInt32(UInt32(truncatingIfNeeded: slots.count))
        for slot in slots {
            writer.write(slot)
            writer.writeUInt64(transports[slot].key.rawValue)
            writeAssociation(of: slot, to: &writer)
            transports[slot].write(to: &writer)
        }
    }

    private mutating func restoreTransports(
        from reader: inout SnapshotReader, events: (TransportKey) -> EventQueue?,
        sockets: (TransportKey) -> PlainSockets?
    ) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let slot: Slot<MediaTransport> = try reader.read()
            let key = TransportKey(rawValue: try reader.readUInt64())
            guard key.shard == index, let queue = events(key) else { throw .malformed }
            let association = try restoreAssociation(from: &reader, sockets: { sockets(key) })
            let transport = try MediaTransport(restoring: &reader, key: key, association: association, events: queue)
            try transports.restore(transport, at: slot)
            try associationRestored(slot)
        }
        transports.endRestoring()
    }

    private func writeBandwidths(to writer: inout SnapshotWriter) {
        let informed = transports.slots.filter { transports[$0].bandwidth != nil }
        writer.writeUInt32(UInt32(truncatingIfNeeded: informed.count))
        for transport in informed {
            guard let bandwidth = transports[transport].bandwidth else { continue }
            writer.write(transport)
            writer.write(bandwidths[bandwidth])
            for share in bandwidths[bandwidth].allocator.shares {
                writer.write(consumers[share.consumer].isPausedForBudget)
            }
        }
        let measured = feeds.slots.filter { feeds[$0].kind == .video }
        writer.writeUInt32(UInt32(truncatingIfNeeded: measured.count))
        for feed in measured {
            writer.write(feed)
            writer.write(feeds[feed].rates)
        }
    }

    private mutating func restoreBandwidths(from reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let transport: Slot<MediaTransport> = try reader.read()
            let bandwidth: TransportBandwidth = try reader.read()
            guard transports.contains(transport), transports[transport].bandwidth == nil else { throw .malformed }
            for share in bandwidth.allocator.shares {
                guard consumers.contains(share.consumer), consumers[share.consumer].transport == transport else {
                    throw .malformed
                }
                consumers[share.consumer].isPausedForBudget = try reader.read()
            }
            transports[transport].bandwidth = bandwidths.insert(bandwidth)
        }
        for _ in 0..<(try reader.readUInt32()) {
            let feed: Slot<ProducerFeed> = try reader.read()
            guard feeds.contains(feed) else { throw .malformed }
            feeds[feed].rates = try reader.read()
        }
        guard reader.isAtEnd else { throw .malformed }
    }

    private func writePaces(of paced: [Slot<MediaTransport>], to writer: inout SnapshotWriter) {
        writer.writeUInt32(UInt32(truncatingIfNeeded: paced.count))
        for transport in paced {
            writer.write(transport)
            writer.write(transports[transport].history.pace)
        }
    }

    private mutating func restorePaces(from reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let transport: Slot<MediaTransport> = try reader.read()
            guard transports.contains(transport) else { throw .malformed }
            transports[transport].history.pace = try reader.read()
            transports[transport].recorder.resume(interval: transports[transport].history.pace.interval)
        }
        guard reader.isAtEnd else { throw .malformed }
    }

    private func writeIncomings(to writer: inout SnapshotWriter) {
        let bounded = transports.slots.filter { transports[$0].incoming != nil }
        writer.writeUInt32(UInt32(truncatingIfNeeded: bounded.count))
        for transport in bounded {
            guard let incoming = transports[transport].incoming else { continue }
            writer.write(transport)
            writer.write(incomings[incoming])
        }
    }

    private mutating func restoreIncomings(from reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) {
            let transport: Slot<MediaTransport> = try reader.read()
            guard transports.contains(transport), transports[transport].incoming == nil else { throw .malformed }
            transports[transport].incoming = incomings.insert(try reader.read())
        }
        guard reader.isAtEnd else { throw .malformed }
    }

    // MARK: Tables and lists

    private func writeLists(to writer: inout SnapshotWriter) {
        writer.writeUInt16(UInt16(truncatingIfNeeded: index))
        writer.write(random)
        writer.write(lastFlush)
        writer.writeUInt32(UInt32(truncatingIfNeeded: tuples.count))
        for tuple in tuples {
            writer.write(tuple != nil)
            guard let tuple else { continue }
            writer.write(tuple.key.remote)
            writer.writeUInt16(tuple.key.socket)
            writer.write(tuple.transport)
        }
        for list in [selecting, catchingUp, wishing] {
            writer.writeUInt32(UInt32(truncatingIfNeeded: list.count))
            for consumer in list { writer.write(consumer) }
        }
        let sounding = withAudioLevels.filter { transports.contains($0) }
        writer.writeUInt32(UInt32(truncatingIfNeeded: sounding.count))
        for transport in sounding { writer.write(transport) }
        for time in [nextSelection, nextCatchUp, nextWish, audioLevelDeadline] { writer.writeOptional(time) }
    }

    private mutating func restoreLists(from reader: inout SnapshotReader) throws(WireError) {
        guard try reader.readUInt16() == UInt16(truncatingIfNeeded: index) else { throw .malformed }
        random = try reader.read()
        lastFlush = try reader.read()
        for number in 0..<Int(try reader.readUInt32()) {
            guard try reader.read() as Bool else {
                tuples.append(nil)
                freeTuples.append(number)
                continue
            }
            let remote: IPAddressPort = try reader.read()
            let key = TupleTable.Key(remote: remote, socket: try reader.readUInt16())
            tuples.append(Tuple(key: key, transport: try reader.read()))
            guard tupleNumbers.find(key) == nil, tupleNumbers.insert(key, number: number) else { throw .malformed }
        }
        selecting = try Self.list(from: &reader)
        catchingUp = try Self.list(from: &reader)
        wishing = try Self.list(from: &reader)
        withAudioLevels = try Self.list(from: &reader)
        nextSelection = try reader.readOptional()
        nextCatchUp = try reader.readOptional()
        nextWish = try reader.readOptional()
        audioLevelDeadline = try reader.readOptional()
    }

    private static func list<Element: ~Copyable>(
        from reader: inout SnapshotReader
    ) throws(WireError) -> [Slot<Element>] {
        var list: [Slot<Element>] = []
        for _ in 0..<(try reader.readUInt32()) { list.append(try reader.read()) }
        return list
    }

    /// What is named is there, and is named by what it names: nothing that runs later checks it again.
    private func checkReferences() throws(WireError) {
        for transport in transports.slots {
            let isWhole =
                transports[transport].producers.allSatisfy {
                    producers.contains($0) && producers[$0].transport == transport
                }
                && transports[transport].consumers.allSatisfy {
                    consumers.contains($0) && consumers[$0].transport == transport
                }
                && transports[transport].streams.entries.allSatisfy { streams.contains($0.value.stream) }
                && transports[transport].consumersBySSRC.entries.allSatisfy { consumers.contains($0.value) }
            guard isWhole, isAssociationWhole(of: transport) else { throw .malformed }
        }
        for producer in producers.slots {
            guard transports.contains(producers[producer].transport), producers[producer].key.shard == index,
                producers[producer].subscribedShards >> UInt64(links.count) == 0
            else { throw .malformed }
            for (encoding, stream) in producers[producer].streams.enumerated() {
                guard let stream else { continue }
                guard streams.contains(stream), streams[stream].producer == producer,
                    streams[stream].encoding == encoding
                else { throw .malformed }
            }
        }
        for stream in streams.slots {
            let producer = streams[stream].producer
            guard producers.contains(producer), producers[producer].streams.contains(stream) else { throw .malformed }
        }
        for feed in feeds.slots {
            guard feeds[feed].key.shard < links.count else { throw .malformed }
            for consumer in feeds[feed].consumers {
                guard consumers.contains(consumer), consumers[consumer].feed == feed else { throw .malformed }
            }
        }
        for consumer in consumers.slots {
            guard transports.contains(consumers[consumer].transport), feeds.contains(consumers[consumer].feed),
                feeds[consumers[consumer].feed].consumers.contains(consumer), consumers[consumer].key.shard == index,
                consumers[consumer].stream.highestEncoding < feeds[consumers[consumer].feed].encodings.count
            else { throw .malformed }
        }
        guard (selecting + catchingUp + wishing).allSatisfy({ consumers.contains($0) }),
            withAudioLevels.allSatisfy({ transports.contains($0) }),
            tuples.allSatisfy({
                $0.map { transports.contains($0.transport) && Int($0.key.socket) < localAddresses.count } ?? true
            })
        else { throw .malformed }
    }

    /// Fills the tables by which commands and packets find things.
    private mutating func indexKeys() {
        for transport in transports.slots {
            transportsByKey[transports[transport].key.rawValue] = transport
        }
        for producer in producers.slots { producersByKey[producers[producer].key.rawValue] = producer }
        for feed in feeds.slots { feedsByKey[feeds[feed].key.rawValue] = feed }
        for consumer in consumers.slots { consumersByKey[consumers[consumer].key.rawValue] = consumer }
    }
}

extension SplitMix: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(seed: try reader.readUInt64()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt64(state) }
}
