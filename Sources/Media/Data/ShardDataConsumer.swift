/// A data consumer on its shard.
struct ShardDataConsumer {
    let key: DataConsumerKey
    let producer: DataProducerKey
    let target: Target
    var isPaused: Bool
    /// Whether messages wait for its client's channel.
    var isHeld = false
    var subchannels: [UInt16]
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    var dropped: UInt64 = 0
    /// When its room may hear again that messages are dropped. Not in snapshots: it hears once more.
    var nextFullReport: MediaInstant?

    /// Where messages go.
    enum Target {
        case stream(Slot<DataAssociation>, DataConsumerSettings)
        /// To its room, up to a length in bytes. Not in snapshots: rooms open theirs again.
        case room(EventQueue, largest: Int)
    }

    /// How often a room hears at most that a consumer's messages are dropped.
    static let fullReportInterval = MediaDuration.seconds(1)

    init(
        key: DataConsumerKey, producer: DataProducerKey, target: Target, subchannels: [UInt16] = [],
        isPaused: Bool = false
    ) {
        self.key = key
        self.producer = producer
        self.target = target
        self.subchannels = subchannels
        self.isPaused = isPaused
    }

    /// Whether a message is for it: mediasoup's rule.
    func wants(_ message: borrowing DataMessage) -> Bool {
        guard !isPaused else { return false }
        if let required = message.requiredSubchannel, !subchannels.contains(required) { return false }
        return message.subchannels.isEmpty || message.subchannels.contains { subchannels.contains($0) }
    }
}

extension ShardDataConsumer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        key = DataConsumerKey(rawValue: try reader.readUInt64())
        producer = DataProducerKey(rawValue: try reader.readUInt64())
        target = .stream(try reader.read(), try reader.read())
        isPaused = try reader.read()
        isHeld = try reader.read()
        subchannels = []
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { subchannels.append(try reader.readUInt16()) }
        messages = try reader.readCounter()
        bytes = try reader.readCounter()
        dropped = try reader.readCounter()
    }

    /// Of one whose target is a stream.
    func write(to writer: inout SnapshotWriter) {
        guard case .stream(let association, let settings) = target else { return }
        writer.writeUInt64(key.rawValue)
        writer.writeUInt64(producer.rawValue)
        writer.write(association)
        writer.write(settings)
        writer.write(isPaused)
        writer.write(isHeld)
        writer.writeCount(subchannels.count)
        for subchannel in subchannels { writer.writeUInt16(subchannel) }
        writer.writeUInt64(messages)
        writer.writeUInt64(bytes)
        writer.writeUInt64(dropped)
    }
}
