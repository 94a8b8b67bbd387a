/// Which temporal layers of a stream one consumer gets: VP8 by its descriptor, H.265 by its unit headers, everything with
/// dependency descriptors.
///
///     current < target: up at the first frame that allows it, one layer at a time unless the descriptor is exact
///     current > target: down when the next picture begins
///
/// Packets of unknown layers pass. Those that come behind a later picture get what was being sent at their own.
struct TemporalSelector {
    /// The highest layer wanted, 0…7.
    private var wanted: Int8 = 7
    /// Nothing above the base layer is sent for now, whatever is wanted.
    var isLimitedToBase = false
    /// The highest layer to send, 0…7.
    var target: Int8 { isLimitedToBase ? 0 : wanted }
    /// The highest layer being sent, 0…7.
    private(set) var current: Int8 = 7
    private var newestTimestamp: UInt32 = 0
    private var newestSequence: UInt64 = 0
    private var hasStarted = false

    /// What was being sent when a picture was the newest.
    fileprivate struct Picture {
        var timestamp: UInt32 = 0
        var spatial: Int8 = 0
        var temporal: Int8 = 0
    }
    private static let memory = 64
    /// The newest pictures since the beginning, at their number modulo the capacity.
    private var pictures = InlineArray<64, Picture>(repeating: Picture())
    private var pictureCount = 0

    init() {}

    /// Takes effect where the stream allows it.
    mutating func setTarget(_ layer: Int) { wanted = Int8(clamping: min(max(layer, 0), 7)) }

    /// A key frame begins: every layer can be had from here.
    mutating func begin(timestamp: UInt32, sequence: UInt64, spatial: Int) {
        current = target
        newestTimestamp = timestamp
        newestSequence = max(newestSequence, sequence)
        hasStarted = true
        remember(spatial)
    }

    /// A different stream comes next, or the stream restarted.
    mutating func reset() {
        hasStarted = false
        newestSequence = 0
        pictureCount = 0
    }

    /// Where the packet's picture stands against those before; the newest moves on with it.
    enum Order { case late, current, next }

    mutating func order(of timestamp: UInt32, sequence: UInt64) -> Order {
        // By number: a timestamp that goes back in a newer packet is a picture out of order (B-frames), or a clock that
        // restarted.
        guard hasStarted, sequence <= newestSequence else {
            let isSame = hasStarted && timestamp == newestTimestamp
            newestTimestamp = timestamp
            newestSequence = sequence
            hasStarted = true
            return isSame ? .current : .next
        }
        return timestamp == newestTimestamp ? .current : .late
    }

    /// Judges one packet of a stream without spatial layers.
    mutating func forwards(_ layers: PacketLayers, sequence: UInt64, timestamp: UInt32) -> Bool {
        let order = order(of: timestamp, sequence: sequence)
        guard order == .late else { return packetReceived(layers, spatial: 0, isNext: order == .next) }
        // A VP8 picture that is late as a whole has its name already, and a receiver waits for what is named.
        return layers.flags.contains(.hasTL0PictureIndex) || lateVerdict(layers, timestamp: timestamp).isWanted
    }

    /// Whether a late packet would have been sent in time, and the spatial layer that was being sent then.
    func lateVerdict(_ layers: PacketLayers, timestamp: UInt32) -> (isWanted: Bool, spatial: Int) {
        for back in 0..<min(pictureCount, Self.memory) {
            let picture = pictures[(pictureCount - 1 - back) % Self.memory]
            // A picture of which nothing came in time counts with the one before.
            if Int32(bitPattern: timestamp &- picture.timestamp) < 0 { continue }
            let spatial = Int(picture.spatial)
            return (
                !layers.flags.contains(.isKnown)
                    || layers.isNeeded(spatial: spatial, temporal: Int(picture.temporal)), spatial
            )
        }
        return (!layers.flags.contains(.isKnown), -1)
    }

    private mutating func remember(_ spatial: Int) {
        let picture = Picture(timestamp: newestTimestamp, spatial: Int8(clamping: spatial), temporal: current)
        if pictureCount > 0, pictures[(pictureCount - 1) % Self.memory].timestamp == newestTimestamp {
            pictures[(pictureCount - 1) % Self.memory] = picture
        } else {
            pictures[pictureCount % Self.memory] = picture
            pictureCount += 1
        }
    }

    /// Judges a packet that is not late.
    /// - Parameters:
    ///   - spatial: the spatial layer being sent.
    ///   - isNext: the first packet of its picture to arrive.
    mutating func packetReceived(_ layers: PacketLayers, spatial: Int, isNext: Bool) -> Bool {
        guard layers.flags.contains(.isKnown) else { return true }
        defer { remember(spatial) }
        if current > target {
            if isNext { current = target }
        } else if current < target, layers.flags.contains(.startsFrame) {
            climb(layers, spatial: spatial, isNext: isNext)
        }
        return layers.isNeeded(spatial: spatial, temporal: Int(current))
    }

    private mutating func climb(_ layers: PacketLayers, spatial: Int, isNext: Bool) {
        guard layers.flags.contains(.describesTargets) else {
            // The sync bits of VP8, VP9 and H.265 speak of the packet's own layer. Only the one above the current is
            // taken: a frame of a still higher layer may refer to one in between that was left out. And only with the
            // picture's first packet to arrive: of one that was overtaken, the others were left out already.
            let next = current + 1
            if isNext, layers.temporalLayer == UInt8(bitPattern: next),
                layers.allowsSwitch(spatial: spatial, temporal: Int(next))
            {
                current = next
            } else if layers.switchTo == .max {
                current = target
            }
            return
        }
        // A receiver that can decode this frame can decode the new layer (§A.7), and can, if it has had the current layer whole.
        guard layers.isNeeded(spatial: spatial, temporal: Int(current)) else { return }
        if layers.allowsSwitch(spatial: spatial, temporal: Int(target)) { current = target }
    }
}

// MARK: Snapshot

extension TemporalSelector: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        pictureCount = try reader.readCount(atMost: Self.memory)
        for index in 0..<pictureCount { pictures[index] = try reader.read() }
        wanted = try reader.read(in: 0...7)
        isLimitedToBase = try reader.read()
        current = try reader.read(in: 0...7)
        newestTimestamp = try reader.read()
        newestSequence = try reader.readCounter()
        hasStarted = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        let kept = min(pictureCount, Self.memory)
        writer.writeCount(kept)
        for number in pictureCount - kept..<pictureCount { writer.write(pictures[number % Self.memory]) }
        writer.write(wanted)
        writer.write(isLimitedToBase)
        writer.write(current)
        writer.write(newestTimestamp)
        writer.write(newestSequence)
        writer.write(hasStarted)
    }
}

extension TemporalSelector.Picture: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        timestamp = try reader.read()
        spatial = try reader.read(in: -1...7)
        temporal = try reader.read(in: 0...7)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(timestamp)
        writer.write(spatial)
        writer.write(temporal)
    }
}
