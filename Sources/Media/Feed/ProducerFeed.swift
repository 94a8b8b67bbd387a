/// A producer on a shard that has consumers of it: the consumers in a row, and the recent packets they may ask for again.
// Safe: `consumers` owns `capacity` pointers of which `count` are initialised.
struct ProducerFeed: ~Copyable {
    let key: ProducerKey
    let kind: MediaKind
    private(set) var consumers: UnsafeMutablePointer<UnsafeMutablePointer<ShardConsumer>>
    private(set) var count = 0
    private var capacity = 4
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
        consumers = .allocate(capacity: capacity)
        cache = GOPCache(kind: kind, encodings: count)
        lastKeyFrameRequest = Array(repeating: nil, count: count)
        keyFrames = Array(repeating: nil, count: count)
    }

    deinit { consumers.deallocate() }

    mutating func add(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        if count == capacity {
            let grown = UnsafeMutablePointer<UnsafeMutablePointer<ShardConsumer>>.allocate(capacity: capacity * 2)
            grown.moveInitialize(from: consumers, count: count)
            consumers.deallocate()
            consumers = grown
            capacity *= 2
        }
        (consumers + count).initialize(to: consumer)
        count += 1
        if consumer.pointee.stream.canRetransmit { retransmittingConsumers += 1 }
    }

    mutating func remove(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        for index in 0..<count where consumers[index] == consumer {
            if consumer.pointee.stream.canRetransmit { retransmittingConsumers -= 1 }
            count -= 1
            consumers[index] = consumers[count]
            return
        }
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
