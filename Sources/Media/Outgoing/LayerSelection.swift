/// Selects which layers of a source one consumer receives, and keeps its picture IDs continuous. Absent for streams without
/// layers.
struct LayerSelection {
    /// What tells the spatial layers apart.
    enum Selector {
        /// Nothing: the only stream is sent whole. But its pictures are renamed, because the source was switched.
        case whole
        /// Each has an encoding, and so a stream, of its own; or there is only one, with temporal layers.
        case encodings(EncodingSelector)
        /// Their packets' own words, within the only stream.
        case svc(SVCSelector)
    }

    /// The encoding that was sent before the current one, for its packets that come late or are asked for again.
    struct Previous {
        var encoding: UInt8
        /// Packets from here on were not sent.
        var endInput: UInt64
        var timestampOffset: UInt32
        var pictures: PictureIDRewriter
    }

    private(set) var selector: Selector
    private(set) var temporal = TemporalSelector()
    /// The layers asked for; `nil` for all.
    private(set) var preferred: ConsumerLayers?
    /// What the network carries. Not in snapshots: it is shared out again at once.
    private var allowed = LayerPosition.highest
    var pictures = PictureIDRewriter()
    /// The first output number of the current encoding.
    var firstOutput: UInt64 = 0
    var previous: Previous?
    /// Until then its consumer has just begun.
    var joinGraceEnd: MediaInstant?
    static let joinGracePeriod = MediaDuration.seconds(2)
    private let highestSpatial: Int
    private let highestTemporal: Int
    private var reported: ConsumerLayers?
    /// How many outputs are remembered.
    private static let memory = 4096
    /// A bit for each of the newest outputs: in the first half, whether it got a marker that it did not come with; in the
    /// second, whether it is padding alone. Sent again, they must be the same.
    private var changes = InlineArray<128, UInt64>(repeating: 0)

    /// - Parameters:
    ///   - encodings: how many the source has.
    ///   - preferred: `nil` for all layers.
    init(
        codec: CodecKind, encodings count: Int, _ scalability: ScalabilitySettings, preferred: ConsumerLayers?
    ) {
        let isPlain = count <= 1 && scalability.spatialLayers <= 1 && scalability.temporalLayers <= 1
        let isSVC = count <= 1 && (scalability.spatialLayers > 1 || codec.hasSpatialLayers)
        selector =
            if isPlain {
                .whole
            } else if isSVC {
                .svc(SVCSelector(spatialLayers: scalability.spatialLayers, isKSVC: scalability.isKSVC))
            } else {
                .encodings(EncodingSelector(encodings: count))
            }
        highestSpatial = isSVC ? scalability.spatialLayers - 1 : min(max(count, 1), SourceEncodings.capacity) - 1
        highestTemporal = min(max(scalability.temporalLayers, 1), PacketLayers.temporalLayers) - 1
        if let preferred { prefer(preferred) }
    }

    /// Whether the source has layers to select.
    var hasLayers: Bool { if case .whole = selector { false } else { true } }

    /// Whether each spatial layer has an encoding of its own.
    var hasEncodings: Bool { if case .encodings = selector { true } else { false } }

    /// Layers to send at most. The highest temporal layer means all: senders may use more than they announced.
    mutating func prefer(_ layers: ConsumerLayers) {
        preferred = layers
        setBounds()
    }

    /// Layers that the network carries: of what is preferred, no more than these are sent.
    /// - Returns: whether that is new.
    mutating func allow(_ layers: LayerPosition) -> Bool {
        guard layers != allowed else { return false }
        allowed = layers
        setBounds()
        return true
    }

    /// What is preferred at most; all layers as long as nothing is.
    private var preferredPosition: LayerPosition {
        let highest = LayerPosition.highest
        guard let preferred else { return LayerPosition(spatial: highestSpatial, temporal: highest.temporal) }
        return LayerPosition(
            spatial: min(Int(preferred.spatial), highestSpatial),
            temporal: Int(preferred.temporal) >= highestTemporal ? highest.temporal : Int(preferred.temporal))
    }

    private mutating func setBounds() {
        let position = preferredPosition
        switch selector {
        case .whole: break
        case .encodings(var encodings):
            encodings.prefer(position)
            encodings.allow(allowed)
            selector = .encodings(encodings)
        case .svc(var svc):
            svc.setTarget(min(position.spatial, allowed.spatial))
            // What the network does not carry is thinned out at once, if only a key frame ends it.
            let isTooMuch = svc.isKSVC && (svc.spatial ?? 0) > allowed.spatial
            // Below what is preferred, every picture of it is wanted.
            let preferred = allowed.spatial < position.spatial ? LayerPosition.highest.temporal : position.temporal
            let carried = allowed.spatial <= position.spatial ? allowed.temporal : LayerPosition.highest.temporal
            temporal.setTarget(isTooMuch ? 0 : min(preferred, carried))
            selector = .svc(svc)
        }
    }

    /// The choices that its receiver's network decides between.
    /// - Parameters:
    ///   - rates: what each layer costs.
    ///   - source: which encodings there are.
    func makeLadder(
        rates: inout SourceRates, source: borrowing SourceEncodings, at now: MediaInstant
    ) -> LayerLadder {
        var ladder = LayerLadder()
        let preferred = preferredPosition
        switch selector {
        case .whole: ladder.addWhole(rates: &rates, at: now)
        case .encodings(let encodings):
            let top = min(preferred.spatial, source.count - 1)
            for encoding in 0..<source.count
            where encoding <= top
                && encodings.canChoose(encoding, hasLower: !ladder.isEmpty, of: source, at: now)
            {
                ladder.addLayers(
                    of: encoding, among: source.count, upTo: encoding == top ? preferred.temporal : 7, rates: &rates,
                    at: now)
            }
            // Only above what is preferred is something sent: its least is better than nothing.
            for encoding in 0..<source.count where ladder.isEmpty && source.isActive(encoding, at: now) {
                ladder.addLayers(of: encoding, among: source.count, upTo: 0, rates: &rates, at: now)
            }
        case .svc(let svc):
            let count = (rates.highestSpatial ?? 0) + 1
            let top = min(preferred.spatial, count - 1)
            for spatial in 0...top {
                ladder.addLayers(
                    of: spatial, among: count, upTo: spatial == top ? preferred.temporal : 7,
                    needsLower: !svc.isKSVC, rates: &rates, at: now)
            }
        }
        return ladder
    }

    /// The encoding to send may have changed. To be called when the set of active encodings may have, and a few times a
    /// second.
    mutating func updateTarget(_ source: borrowing SourceEncodings, at now: MediaInstant) {
        switch selector {
        case .whole: break
        case .encodings(var encodings):
            encodings.updateTarget(source, temporal: &temporal, at: now)
            selector = .encodings(encodings)
        case .svc: setBounds()
        }
    }

    /// An encoding's stream ended or restarted, and with it its clock.
    mutating func encodingRestarted(_ encoding: Int) {
        guard case .encodings(var encodings) = selector else { return }
        encodings.encodingRestarted(encoding)
        selector = .encodings(encodings)
    }

    /// The consumer or producer was paused, the source was switched or restarted: go on with a key frame.
    mutating func restart() {
        switch selector {
        case .whole: break
        case .encodings(var encodings):
            encodings.reset()
            selector = .encodings(encodings)
        case .svc(var svc):
            svc.reset()
            selector = .svc(svc)
        }
        temporal.reset()
        limitToBase(false)
        previous = nil
    }

    /// Sends nothing above the base layer in time, or what is preferred again: a consumer that catches up.
    mutating func limitToBase(_ isLimited: Bool) {
        temporal.isLimitedToBase = isLimited
    }

    /// Judges one packet of the producer; `nil` where the stream is sent whole.
    /// - Parameters:
    ///   - canStart: whether a decoder can begin with this packet.
    ///   - source: knows of this packet already.
    ///   - timestamps: switched to the packet's encoding where `begin` is returned for one of several.
    mutating func packetReceived(
        _ packet: PreparedPacket, canStart: Bool, source: borrowing SourceEncodings,
        timestamps: inout TimestampRewriter, at now: MediaInstant
    ) -> LayerDecision? {
        switch selector {
        case .whole: return nil
        case .encodings(var encodings):
            defer { selector = .encodings(encodings) }
            return encodings.packetReceived(
                encoding: Int(packet.encoding), packet.layers, isKeyFrame: canStart, sequence: packet.sequence,
                timestamp: packet.timestamp, source: source, temporal: &temporal, timestamps: &timestamps, at: now)
        case .svc(var svc):
            defer { selector = .svc(svc) }
            return svc.packetReceived(
                packet.layers, isKeyFrame: canStart, sequence: packet.sequence, timestamp: packet.timestamp,
                temporal: &temporal)
        }
    }

    // MARK: What it selects

    /// The last of the held packets that follow the one that got `begin`; `nil` where the consumer itself knows.
    var heldThrough: UInt64? {
        switch selector {
        case .whole: nil
        case .encodings(let encodings): encodings.heldThrough
        case .svc(let svc): svc.heldThrough
        }
    }

    func isSending(encoding: Int) -> Bool { !hasEncodings || currentEncoding == encoding }

    /// The encoding that is being sent; `nil` before the first key frame of several.
    var currentEncoding: Int? { if case .encodings(let encodings) = selector { encodings.currentEncoding } else { 0 } }

    /// The highest encoding that it names; negative while it names none.
    var highestEncoding: Int {
        let selected = if case .encodings(let encodings) = selector { encodings.highestEncoding } else { 0 }
        return max(selected, Int(previous?.encoding ?? 0))
    }

    /// The encoding whose key frame would bring a wanted change.
    var wantedKeyFrame: Int? {
        switch selector {
        case .whole: nil
        case .encodings(let encodings): encodings.wantedKeyFrame
        case .svc(let svc): svc.wantsKeyFrame ? 0 : nil
        }
    }

    /// The encoding a receiver means that asks for a key frame.
    var mainEncoding: Int { currentEncoding ?? wantedKeyFrame ?? 0 }

    /// What is being sent; `nil` while nothing is, and where there is nothing to select.
    private var layers: ConsumerLayers? {
        let spatial: Int? =
            switch selector {
            case .whole: nil
            case .encodings(let encodings): encodings.spatial
            case .svc(let svc): svc.spatial
            }
        return spatial.map {
            ConsumerLayers(
                spatial: UInt8(truncatingIfNeeded: $0),
                temporal: UInt8(truncatingIfNeeded: min(Int(temporal.current), highestTemporal)))
        }
    }

    /// The layers sent now, if they changed since the last call.
    mutating func pollChange() -> (isChanged: Bool, layers: ConsumerLayers?) {
        let layers = layers
        defer { reported = layers }
        return (layers != reported, layers)
    }

    // MARK: What was sent

    /// How an output differed from what came in.
    enum Change {
        case none
        case marker
        /// Padding alone.
        case paddingOnly
    }

    /// Remembers what an output was.
    mutating func packetSent(output: UInt64, _ change: Change) {
        let (word, bit) = Self.place(ofOutput: output)
        changes[word] &= ~bit
        changes[word + Self.memory / 64] &= ~bit
        switch change {
        case .none: break
        case .marker: changes[word] |= bit
        case .paddingOnly: changes[word + Self.memory / 64] |= bit
        }
    }

    /// What an output was, of the newest 4096.
    func change(ofOutput output: UInt64) -> Change {
        let (word, bit) = Self.place(ofOutput: output)
        if changes[word + Self.memory / 64] & bit != 0 { return .paddingOnly }
        return changes[word] & bit != 0 ? .marker : .none
    }

    private static func place(ofOutput output: UInt64) -> (word: Int, bit: UInt64) {
        (Int(truncatingIfNeeded: output >> 6) & (memory / 64 - 1), 1 << (output & 63))
    }
}

// MARK: Snapshot

extension LayerSelection: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        temporal = try reader.read()
        selector = try reader.read()
        preferred = try reader.readOptional()
        pictures = try reader.read()
        firstOutput = try reader.readCounter()
        previous = try reader.readOptional()
        joinGraceEnd = try reader.readOptional()
        highestSpatial = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
        highestTemporal = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
        reported = try reader.readOptional()
        changes = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(temporal)
        writer.write(selector)
        writer.writeOptional(preferred)
        writer.write(pictures)
        writer.write(firstOutput)
        writer.writeOptional(previous)
        writer.writeOptional(joinGraceEnd)
        writer.writeUInt8(UInt8(clamping: highestSpatial))
        writer.writeUInt8(UInt8(clamping: highestTemporal))
        writer.writeOptional(reported)
        writer.write(changes)
    }
}

extension LayerSelection.Selector: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .whole
        case 2: self = .encodings(try reader.read())
        case 3: self = .svc(try reader.read())
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .whole: writer.writeUInt8(1)
        case .encodings(let encodings):
            writer.writeUInt8(2)
            writer.write(encodings)
        case .svc(let svc):
            writer.writeUInt8(3)
            writer.write(svc)
        }
    }
}

extension LayerSelection.Previous: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        encoding = try reader.read(in: 0...UInt8(SourceEncodings.capacity - 1))
        endInput = try reader.readCounter()
        timestampOffset = try reader.read()
        pictures = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(encoding)
        writer.write(endInput)
        writer.write(timestampOffset)
        writer.write(pictures)
    }
}
