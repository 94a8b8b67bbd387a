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
    /// Of the newest VP8 packet: where the pictures' numbers stand, for a consumer that is switched away.
    private(set) var newestPicture = PacketLayers()

    init(key: ProducerKey, kind: MediaKind, encodings count: Int, clockRate: UInt32, usesDTX: Bool) {
        let count = min(max(count, 1), SourceEncodings.capacity)
        self.key = key
        self.kind = kind
        encodings = SourceEncodings(count: count, clockRate: clockRate, usesDTX: usesDTX)
        cache = GOPCache(kind: kind, encodings: count)
        lastKeyFrameRequest = Array(repeating: nil, count: count)
        keyFrames = Array(repeating: nil, count: count)
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
    /// - Returns: whether it is to be stored in the cache first.
    mutating func packetArrived(_ packet: PreparedPacket, at now: MediaInstant) -> Bool {
        if packet.layers.flags.contains(.hasPictureID) { newestPicture = packet.layers }
        guard !packet.isPaddingOnly else { return false }
        encodings.packetReceived(encoding: Int(packet.encoding), at: now)
        if packet.isKeyFrame { keyFrames[Int(packet.encoding)] = now }
        return cache.shouldStore(packet, isWatched: retransmittingConsumers > 0, at: now)
    }

    /// An encoding's stream ended or restarted: nothing that was known of it holds.
    mutating func encodingRestarted(_ encoding: Int) {
        encodings.reset(encoding: encoding)
        cache.forgetGOP(of: encoding)
    }
}
