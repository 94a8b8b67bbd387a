/// What a shard needs to open a data consumer.
public struct DataConsumerSettings: Sendable, Hashable {
    /// Our stream.
    public var stream: UInt16
    /// Whether messages arrive in order, all of them.
    public var isOrdered: Bool
    /// How long an unordered message is tried, in milliseconds.
    public var maxPacketLifeTime: UInt16?
    /// How often an unordered message is sent again.
    public var maxRetransmits: UInt16?
    /// What it is interested in; empty for everything.
    public var subchannels: [UInt16]
    /// Whether it gets nothing at first.
    public var isPaused: Bool
    /// Whether messages wait until `MediaHandle.releaseDataConsumer(_:)`, since its client has no channel yet. Not in
    /// snapshots: the consumer itself says so there.
    public var isHeld = false
    /// What the client is asked to open, where channels are opened in band. Not in snapshots: it is said once.
    public var label = ""
    /// Likewise.
    public var protocolName = ""

    /// Settings.
    public init(
        stream: UInt16, isOrdered: Bool = true, maxPacketLifeTime: UInt16? = nil, maxRetransmits: UInt16? = nil,
        subchannels: [UInt16] = [], isPaused: Bool = false
    ) {
        self.stream = stream
        self.isOrdered = isOrdered
        self.maxPacketLifeTime = maxPacketLifeTime
        self.maxRetransmits = maxRetransmits
        self.subchannels = subchannels
        self.isPaused = isPaused
    }

    /// Ordered ones are reliable, as with mediasoup.
    var reliability: SCTPReliability {
        if isOrdered { return .reliable }
        if let maxPacketLifeTime { return .lifetime(.milliseconds(Int(maxPacketLifeTime))) }
        return maxRetransmits.map { .retransmissions($0) } ?? .reliable
    }
}

extension DataConsumerSettings: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(stream: try reader.readUInt16(), isOrdered: try reader.read())
        maxPacketLifeTime = try reader.readOptional()
        maxRetransmits = try reader.readOptional()
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { subchannels.append(try reader.readUInt16()) }
        isPaused = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt16(stream)
        writer.write(isOrdered)
        writer.writeOptional(maxPacketLifeTime)
        writer.writeOptional(maxRetransmits)
        writer.writeCount(subchannels.count)
        for subchannel in subchannels { writer.writeUInt16(subchannel) }
        writer.write(isPaused)
    }
}
