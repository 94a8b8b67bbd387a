/// Which encoding and temporal layers of a simulcast producer one consumer gets.
///
///     nothing ──key frame of the target──▶ current ──another target: its key frame──▶ current := target
///
/// Timestamps stay on the clock of the first encoding sent, the reference, to which sender reports tie the others. A key
/// frame that would have to be moved by more than `TimestampRewriter.maxStep` is left for the next one, once. Where reports
/// are missing, or contradict what arrives, the time of arrival places the new encoding, which then is the reference; and so
/// is what is being sent once the reference is sent no more.
///
/// While a target is waited for, its packets get `hold`: they lie in the source's retransmission buffer, and when the key
/// frame's first packet comes (late, or by RTX), `begin` is followed by `heldThrough`: send again what lies between.
/// Packets from before a switch need no rule of their own: `SequenceRewriter` refuses them for good.
struct EncodingSelector {
    /// More packets than this behind a key frame's first mean that it is an old one.
    static let longestHold: UInt64 = 512

    /// The layers the consumer prefers; the highest at first.
    private(set) var preferred: LayerPosition
    /// The layers its network carries. Not in snapshots: they are shared out again at once.
    private var allowed = LayerPosition.highest
    /// −1: nothing is being sent.
    private var current: Int8 = -1
    /// −1: nothing can or may be sent.
    private(set) var target: Int8 = -1
    /// The encoding on whose clock the consumer's timestamps are; −1: none yet.
    private var reference: Int8 = -1
    /// A key frame was left out for its timestamp: the next one is taken as it is.
    private var hasSkippedKeyFrame = false
    /// What the reference's timestamps become by adding it.
    private var referenceOffset: UInt32 = 0
    /// What those of the encoding being sent do.
    private var currentOffset: UInt32 = 0
    /// The newest packet of the target that was held.
    private var newestHeld: UInt64 = 0

    init(encodings: Int) {
        preferred = LayerPosition(spatial: min(max(encodings, 1), SourceEncodings.capacity) - 1, temporal: 7)
    }

    /// The spatial layer that is being sent; `nil` before the first key frame, and while no encoding is active.
    var spatial: Int? { current < 0 || target < 0 ? nil : Int(current) }

    /// The encoding being sent.
    var currentEncoding: Int? { current < 0 ? nil : Int(current) }
    /// The highest that it names; negative while it names none.
    var highestEncoding: Int { Int(max(current, target, reference)) }

    /// The encoding whose key frame would bring a wanted change.
    var wantedKeyFrame: Int? { target >= 0 && target != current ? Int(target) : nil }
    /// The last of the held packets that follow the one that got `begin`.
    var heldThrough: UInt64 { newestHeld }

    /// Takes effect with the next `updateTarget`.
    mutating func prefer(_ layers: LayerPosition) {
        preferred = LayerPosition(
            spatial: min(max(layers.spatial, 0), SourceEncodings.capacity - 1),
            temporal: min(max(layers.temporal, 0), 7))
    }

    /// What the network carries; takes effect with the next `updateTarget`.
    mutating func allow(_ layers: LayerPosition) { allowed = layers }

    /// Chooses what to send. To be called when preferences or the set of active encodings may have changed: after
    /// `prefer`, and a few times a second.
    mutating func updateTarget(
        _ source: borrowing SourceEncodings, temporal: inout TemporalSelector, at now: MediaInstant
    ) {
        if reference < 0 || !source.isActive(Int(reference), at: now) {
            let isSent = current >= 0 && source.isActive(Int(current), at: now)
            // Silent for a while, its report still tells the time.
            if isSent || !source.hasFreshReport(Int(reference), at: now) { followCurrent(isSent: isSent) }
        }
        let wanted = min(preferred.spatial, allowed.spatial, source.count - 1)
        var chosen = source.target(
            preferred: wanted, reference: reference < 0 ? nil : Int(reference), current: currentEncoding, at: now)
        // A receiver without a picture needs a key frame of a silent encoding, too.
        if chosen == nil, current < 0 { chosen = source.silentTarget(preferred: wanted) }
        let index = Int8(truncatingIfNeeded: chosen ?? -1)
        if index != target {
            target = index
            newestHeld = 0
            hasSkippedKeyFrame = false
        }
        guard let chosen else { return }
        // What the network does not carry is thinned out at once, until the lower encoding's key frame comes.
        let isTooMuch = Int(current) > allowed.spatial && chosen < Int(current)
        temporal.setTarget(isTooMuch ? 0 : temporalTarget(of: chosen, of: source.count))
    }

    /// Whether an encoding is one to choose now.
    /// - Parameter hasLower: whether a lower one is.
    func canChoose(_ encoding: Int, hasLower: Bool, of source: borrowing SourceEncodings, at now: MediaInstant) -> Bool
    {
        source.canBeSent(
            encoding, reference: reference < 0 ? nil : Int(reference), current: currentEncoding, hasLower: hasLower,
            at: now)
    }

    /// A lower encoding than wanted is at least smooth; a higher one than wanted costs as little as it can.
    private func temporalTarget(of chosen: Int, of count: Int) -> Int {
        let wanted = min(preferred.spatial, allowed.spatial, count - 1)
        guard chosen == wanted else { return chosen < wanted ? LayerPosition.highest.temporal : 0 }
        let isPreferred = wanted == min(preferred.spatial, count - 1)
        return min(
            isPreferred ? preferred.temporal : LayerPosition.highest.temporal,
            allowed.spatial == wanted ? allowed.temporal : LayerPosition.highest.temporal)
    }

    /// The consumer or producer was paused, the source was switched or restarted: begin with a key frame again, on whatever
    /// clock it has.
    mutating func reset() {
        current = -1
        target = -1
        reference = -1
        newestHeld = 0
        hasSkippedKeyFrame = false
    }

    /// An encoding's stream ended or restarted, and with it its clock.
    mutating func encodingRestarted(_ encoding: Int) {
        if encoding == Int(target) { newestHeld = 0 }
        if encoding == Int(reference) { followCurrent(isSent: current != reference) }
    }

    /// The reference is none any more. What is being sent has a clock, too, that the timestamps follow.
    private mutating func followCurrent(isSent: Bool) {
        reference = isSent ? current : -1
        referenceOffset = currentOffset
    }

    /// Judges one packet of the producer.
    /// - Parameters:
    ///   - isKeyFrame: whether a decoder can begin with this packet.
    ///   - sequence: extended.
    ///   - source: knows of this packet already.
    ///   - temporal: selects among the temporal layers of the encoding being sent.
    ///   - timestamps: switched to the packet's encoding where `begin` is returned.
    mutating func packetReceived(
        encoding: Int, _ layers: PacketLayers, isKeyFrame: Bool, sequence: UInt64, timestamp: UInt32,
        source: borrowing SourceEncodings, temporal: inout TemporalSelector, timestamps: inout TimestampRewriter,
        at now: MediaInstant
    ) -> LayerDecision {
        guard encoding >= 0 else { return .discard }
        if encoding == Int(current) {
            return temporal.forwards(layers, sequence: sequence, timestamp: timestamp) ? .forward : .drop
        }
        // What is silent is waited for until another one has a picture to begin with.
        let isOther = current < 0 && isKeyFrame && encoding != Int(target)
        if target < 0 || (isOther && !source.isActive(Int(target), at: now)) {
            updateTarget(source, temporal: &temporal, at: now)
        }
        guard encoding == Int(target) else { return .discard }
        guard isKeyFrame, newestHeld <= sequence &+ Self.longestHold else {
            newestHeld = max(newestHeld, sequence)
            return .hold
        }
        guard switchTimestamps(encoding, first: timestamp, source: source, timestamps: &timestamps, at: now) else {
            return .discard
        }
        current = target
        temporal.reset()
        temporal.setTarget(temporalTarget(of: encoding, of: source.count))
        temporal.begin(timestamp: timestamp, sequence: sequence, spatial: 0)
        newestHeld = max(newestHeld, sequence)
        return .begin
    }

    /// - Returns: `false` when the picture would have to be moved too far, and another key frame is worth waiting for.
    private mutating func switchTimestamps(
        _ encoding: Int, first: UInt32, source: borrowing SourceEncodings, timestamps: inout TimestampRewriter,
        at now: MediaInstant
    ) -> Bool {
        var aligned: UInt32?
        if reference >= 0,
            let translated = source.translate(first, from: encoding, to: Int(reference)).map({ $0 &+ referenceOffset }),
            timestamps.isPlausible(translated, at: now)
        {
            aligned = translated
        }
        let isTooFar = timestamps.excess(first: first, aligned: aligned, at: now) > TimestampRewriter.maxStep
        if isTooFar, !hasSkippedKeyFrame {
            hasSkippedKeyFrame = true
            newestHeld = 0
            return false
        }
        if isTooFar {
            timestamps.squeeze(first: first)
        } else {
            timestamps.switchSource(first: first, aligned: aligned, at: now)
        }
        hasSkippedKeyFrame = false
        currentOffset = timestamps.currentOffset
        if aligned == nil {
            reference = Int8(truncatingIfNeeded: encoding)
            referenceOffset = currentOffset
        }
        return true
    }
}

// MARK: Snapshot

extension EncodingSelector: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let encodings = -1...Int8(SourceEncodings.capacity - 1)
        preferred = try reader.read()
        current = try reader.read(in: encodings)
        target = try reader.read(in: encodings)
        reference = try reader.read(in: encodings)
        hasSkippedKeyFrame = try reader.read()
        referenceOffset = try reader.read()
        currentOffset = try reader.read()
        newestHeld = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(preferred)
        writer.write(current)
        writer.write(target)
        writer.write(reference)
        writer.write(hasSkippedKeyFrame)
        writer.write(referenceOffset)
        writer.write(currentOffset)
        writer.write(newestHeld)
    }
}
