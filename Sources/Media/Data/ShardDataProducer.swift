/// A data producer on its shard.
struct ShardDataProducer {
    let key: DataProducerKey
    /// Where its client's messages come from; `nil` for one whose messages come from its room.
    let source: Source?
    var isPaused: Bool
    /// Shards that have consumers of it, a bit for each.
    var subscribedShards: UInt64 = 0
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    /// Messages wait, since the first consumers are on their way.
    var heldUntil: MediaInstant?
    /// What its client may send. Not in snapshots: they begin empty elsewhere.
    private var bits = IngressBucket()
    private var rate = IngressBucket()

    struct Source {
        var association: Slot<DataAssociation>
        var stream: UInt16
    }

    init(key: DataProducerKey, source: Source?, isPaused: Bool) {
        self.key = key
        self.source = source
        self.isPaused = isPaused
    }

    /// - Returns: whether a message may be taken now.
    mutating func take(
        _ bytes: Int, _ bitRate: IngressRate, _ messageRate: IngressRate, at now: MediaInstant
    ) -> Bool {
        rate.take(0, messageRate, at: now) && bits.take(bytes, bitRate, at: now)
    }

    /// Messages that were not taken, since there were too many.
    var refused: UInt64 { rate.refused &+ bits.refused }
}

extension ShardDataProducer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        key = DataProducerKey(rawValue: try reader.readUInt64())
        let hasSource: Bool = try reader.read()
        source = hasSource ? Source(association: try reader.read(), stream: try reader.readUInt16()) : nil
        isPaused = try reader.read()
        subscribedShards = try reader.readUInt64()
        messages = try reader.readCounter()
        bytes = try reader.readCounter()
        heldUntil = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(key.rawValue)
        writer.write(source != nil)
        if let source {
            writer.write(source.association)
            writer.writeUInt16(source.stream)
        }
        writer.write(isPaused)
        writer.writeUInt64(subscribedShards)
        writer.writeUInt64(messages)
        writer.writeUInt64(bytes)
        writer.writeOptional(heldUntil)
    }
}
