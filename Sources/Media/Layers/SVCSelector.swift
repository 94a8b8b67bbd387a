/// Which spatial and temporal layers of one SVC stream (VP9, AV1 by dependency descriptor) a consumer gets.
///
/// | change of the spatial layer | full SVC | K-SVC |
/// | --- | --- | --- |
/// | up | at a key frame | at a key frame |
/// | down | at the end of a frame of the lower layer, or when a picture begins | at a key frame, or right behind it |
///
/// Before the first key frame packets get `hold`, as in `EncodingSelector`, since its first packet may come behind others.
/// Packets of unknown layers pass. Those that come behind a later picture get what was being sent at their own.
struct SVCSelector {
    let isKSVC: Bool
    private var target: Int8
    /// −1: nothing is being sent.
    private var current: Int8 = -1
    /// The highest layer that the stream had at its newest packet.
    private var highest: Int8 = 7
    /// Packets of the newest picture were left out: its layers cannot be raised any more.
    private var hasDropped = false
    /// The newest packet that was held before the first key frame.
    private var newestHeld: UInt64 = 0
    /// A lower layer begins with the next picture. Not in snapshots: then it waits for another key frame.
    private var descendsNext = false

    /// - Parameters:
    ///   - spatialLayers: 1…8; the highest is wanted at first.
    ///   - isKSVC: whether the scalability mode ends in `_KEY`.
    init(spatialLayers: Int, isKSVC: Bool) {
        self.isKSVC = isKSVC
        target = Int8(clamping: min(max(spatialLayers, 1), 8) - 1)
    }

    /// The spatial layer that is being sent; `nil` before the first key frame.
    var spatial: Int? { current < 0 ? nil : Int(current) }

    /// The spatial layer to send; clamped to 0…7.
    mutating func setTarget(_ spatial: Int) { target = Int8(clamping: min(max(spatial, 0), 7)) }

    /// The last of the held packets that follow the one that got `begin`.
    var heldThrough: UInt64 { newestHeld }

    /// Whether a key frame would bring a wanted change.
    var wantsKeyFrame: Bool {
        let reachable = min(target, highest)
        return current < 0 || (isKSVC ? reachable != current : reachable > current)
    }

    /// The consumer or producer was paused, or the stream restarted: begin with a key frame again.
    mutating func reset() {
        current = -1
        newestHeld = 0
        descendsNext = false
    }

    /// Judges one packet.
    /// - Parameters:
    ///   - isKeyFrame: whether a decoder can begin with this packet.
    ///   - sequence: extended.
    ///   - temporal: selects among the stream's temporal layers.
    mutating func packetReceived(
        _ layers: PacketLayers, isKeyFrame: Bool, sequence: UInt64, timestamp: UInt32, temporal: inout TemporalSelector
    ) -> LayerDecision {
        guard current >= 0 else {
            return start(
                layers, isKeyFrame: isKeyFrame, sequence: sequence, timestamp: timestamp, temporal: &temporal)
        }
        let isKnown = layers.flags.contains(.isKnown)
        let endsFrame = layers.flags.contains(.endsFrame)
        let spatial = Int8(bitPattern: layers.spatialLayer & 7)
        let order = temporal.order(of: timestamp, sequence: sequence)
        if order == .late {
            let verdict = temporal.lateVerdict(layers, timestamp: timestamp)
            guard verdict.isWanted else { return .drop }
            return LayerDecision(
                action: .forward, setsMarker: isKnown && endsFrame && Int(spatial) == verdict.spatial)
        }
        guard isKnown else { return .forward }
        highest = Int8(bitPattern: layers.highestSpatialLayer & 7)
        let reachable = min(target, highest)
        if order == .next {
            hasDropped = false
            if descendsNext, reachable < current { current = reachable }
            descendsNext = false
        }
        if isKeyFrame, order == .current, reachable < current {
            // Others of its picture came first, and were sent for the present layer: so is the rest, and every layer can go
            // on from this picture.
            descendsNext = true
            temporal.begin(timestamp: timestamp, sequence: sequence, spatial: Int(current))
        } else if isKeyFrame, reachable <= current || !hasDropped {
            current = reachable
            temporal.begin(timestamp: timestamp, sequence: sequence, spatial: Int(current))
        } else if !isKSVC, reachable < current, order == .next || (endsFrame && spatial == reachable) {
            current = reachable
        }
        guard temporal.packetReceived(layers, spatial: Int(current), isNext: order == .next) else {
            hasDropped = true
            return .drop
        }
        return LayerDecision(action: .forward, setsMarker: endsFrame && spatial == current)
    }

    private mutating func start(
        _ layers: PacketLayers, isKeyFrame: Bool, sequence: UInt64, timestamp: UInt32, temporal: inout TemporalSelector
    ) -> LayerDecision {
        guard isKeyFrame, newestHeld <= sequence &+ EncodingSelector.longestHold else {
            newestHeld = max(newestHeld, sequence)
            return .hold
        }
        newestHeld = max(newestHeld, sequence)
        if layers.flags.contains(.isKnown) { highest = Int8(bitPattern: layers.highestSpatialLayer & 7) }
        current = min(target, highest)
        hasDropped = false
        temporal.begin(timestamp: timestamp, sequence: sequence, spatial: Int(current))
        let spatial = Int8(bitPattern: layers.spatialLayer & 7)
        let endsLayers = layers.flags.isSuperset(of: [.isKnown, .endsFrame]) && spatial == current
        return LayerDecision(action: .begin, setsMarker: endsLayers)
    }
}

// MARK: Snapshot

extension SVCSelector: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isKSVC = try reader.read()
        target = try reader.read(in: 0...7)
        current = try reader.read(in: -1...7)
        highest = try reader.read(in: 0...7)
        hasDropped = try reader.read()
        newestHeld = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isKSVC)
        writer.write(target)
        writer.write(current)
        writer.write(highest)
        writer.write(hasDropped)
        writer.write(newestHeld)
    }
}
