/// A producer on a shard that has consumers of it: the consumers in a row, and the recent packets they may ask for again.
struct ProducerFeed: ~Copyable {
    let key: ProducerKey
    let kind: MediaKind
    private(set) var consumers: [Slot<ShardConsumer>] = []
    private var retransmittingConsumers = 0
    var cache: GOPCache
    /// Another shard has been asked for the packets it keeps: consumers begin when they have come.
    var isAwaitingCachedPackets = false
    /// When a key frame was last asked for, by encoding: consumers that wait ask again only after a while.
    var lastKeyFrameRequest: [MediaInstant?]
    /// When one last came, by encoding.
    private var keyFrames: [MediaInstant?]
    /// Which encodings there are, and how their clocks relate.
    var encodings: SourceEncodings
    /// What they cost. Not in snapshots of a feed: it is with what uses it.
    var rates = SourceRates()
    /// Of the newest VP8 packet: where the pictures' numbers stand, for a consumer that is switched away.
    private(set) var newestPicture = PacketLayers()

    init(key: ProducerKey, kind: MediaKind, encodings count: Int, clockRate: UInt32, usesDTX: Bool) {
        let count = min(max(count, 1), SourceEncodings.capacity)
        self.init(
            key: key, kind: kind, cache: GOPCache(kind: kind, encodings: count),
            encodings: SourceEncodings(count: count, clockRate: clockRate, usesDTX: usesDTX))
    }

    private init(key: ProducerKey, kind: MediaKind, cache: consuming GOPCache, encodings: consuming SourceEncodings) {
        self.key = key
        self.kind = kind
        lastKeyFrameRequest = Array(repeating: nil, count: cache.count)
        keyFrames = Array(repeating: nil, count: cache.count)
        self.cache = cache
        self.encodings = encodings
    }

    /// - Parameter canRetransmit: whether the consumer may ask for packets again.
    mutating func add(_ consumer: Slot<ShardConsumer>, canRetransmit: Bool) {
        consumers.append(consumer)
        if canRetransmit { retransmittingConsumers += 1 }
    }

    mutating func remove(_ consumer: Slot<ShardConsumer>, canRetransmit: Bool) {
        guard let index = consumers.firstIndex(of: consumer) else { return }
        consumers.swapAt(index, consumers.count - 1)
        consumers.removeLast()
        if canRetransmit { retransmittingConsumers -= 1 }
    }

    func lastKeyFrame(of encoding: Int) -> MediaInstant? {
        encoding >= 0 && encoding < encodings.count ? keyFrames[encoding] : nil
    }

    /// A packet arrived, and will be given to the consumers.
    /// - Parameter isMeasured: whether somebody asks what layers cost.
    /// - Returns: whether it is to be stored in the cache first.
    mutating func packetArrived(_ packet: PreparedPacket, isMeasured: Bool = false, at now: MediaInstant) -> Bool {
        if packet.layers.flags.contains(.hasPictureID) { newestPicture = packet.layers }
        guard !packet.isPaddingOnly else { return false }
        encodings.packetReceived(encoding: Int(packet.encoding), at: now)
        if packet.isKeyFrame { keyFrames[Int(packet.encoding)] = now }
        if isMeasured, kind == .video { rates.packetArrived(packet, isSimulcast: encodings.count > 1, at: now) }
        return cache.shouldStore(packet, isWatched: retransmittingConsumers > 0, at: now)
    }

    /// An encoding's stream ended or restarted: nothing that was known of it holds.
    mutating func encodingRestarted(_ encoding: Int) {
        encodings.reset(encoding: encoding)
        cache.forgetGOP(of: encoding)
        if encodings.count > 1 { rates.reset(spatial: encoding) } else { rates = SourceRates() }
    }
}

// MARK: Snapshot

extension ProducerFeed: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let key = ProducerKey(rawValue: try reader.readUInt64())
        let kind: MediaKind = try reader.read()
        var consumers: [Slot<ShardConsumer>] = []
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { consumers.append(try reader.read()) }
        let retransmitting = Int(try reader.readUInt16())
        let cache: GOPCache = try reader.read()
        let isAwaiting: Bool = try reader.read()
        let encodings: SourceEncodings = try reader.read()
        guard cache.count == encodings.count else { throw .malformed }
        var requests: [MediaInstant?] = []
        var keyFrames: [MediaInstant?] = []
        for _ in 0..<encodings.count {
            requests.append(try reader.readOptional())
            keyFrames.append(try reader.readOptional())
        }
        let newest: PacketLayers = try reader.read()
        self.init(key: key, kind: kind, cache: cache, encodings: encodings)
        self.consumers = consumers
        retransmittingConsumers = retransmitting
        isAwaitingCachedPackets = isAwaiting
        lastKeyFrameRequest = requests
        self.keyFrames = keyFrames
        newestPicture = newest
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(key.rawValue)
        writer.write(kind)
        writer.writeCount(consumers.count)
        for consumer in consumers { writer.write(consumer) }
        writer.writeUInt16(UInt16(truncatingIfNeeded: retransmittingConsumers))
        writer.write(cache)
        writer.write(isAwaitingCachedPackets)
        writer.write(encodings)
        for encoding in 0..<encodings.count {
            writer.writeOptional(lastKeyFrameRequest[encoding])
            writer.writeOptional(keyFrames[encoding])
        }
        writer.write(newestPicture)
    }
}

extension PacketLayers: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        neededBy = try reader.readUInt64()
        switchTo = try reader.readUInt64()
        pictureID = try reader.readUInt16()
        flags = Flags(rawValue: try reader.readUInt16())
        spatialLayer = try reader.readUInt8()
        temporalLayer = try reader.readUInt8()
        highestSpatialLayer = try reader.readUInt8()
        tl0PictureIndex = try reader.readUInt8()
        pictureIDOffset = try reader.readUInt8()
        tl0PictureIndexOffset = try reader.readUInt8()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(neededBy)
        writer.writeUInt64(switchTo)
        writer.writeUInt16(pictureID)
        writer.writeUInt16(flags.rawValue)
        for byte in [
            spatialLayer, temporalLayer, highestSpatialLayer, tl0PictureIndex, pictureIDOffset, tl0PictureIndexOffset,
        ] {
            writer.writeUInt8(byte)
        }
    }
}
