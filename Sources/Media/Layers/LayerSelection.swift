// Safe: `make` returns one initialized value, which its consumer owns and frees in its `deinit`.

/// What one consumer gets of a source with layers, and what it is called for it. Consumers of plain streams do without.
struct LayerSelection {
    enum Kind {
        /// The only stream, whole; but its pictures are renamed, because the source was switched.
        case whole
        /// One encoding of several, or temporal layers of the only one.
        case encodings
        /// Layers within the only stream.
        case svc
    }

    /// The encoding that was sent before the current one, for its packets that come late or are asked for again.
    struct Previous {
        var encoding: UInt8
        /// Packets from here on were not sent.
        var endInput: UInt64
        var timestampOffset: UInt32
        var pictures: PictureIDRewriter
    }

    private(set) var kind: Kind
    var encodings: EncodingSelector
    var svc: SVCSelector
    /// The layers asked for; `nil` for all.
    private(set) var preferred: ConsumerLayers?
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
    /// Which of the newest outputs got a marker that they did not come with, and which are padding alone: sent again, they
    /// must be the same.
    private var markers = InlineArray<64, UInt64>(repeating: 0)
    private var paddings = InlineArray<64, UInt64>(repeating: 0)

    /// - Parameter preferred: `nil` for all layers.
    init(
        codec: CodecKind, encodings count: Int, _ scalability: ScalabilitySettings, preferred: ConsumerLayers?
    ) {
        let isSVC = count <= 1 && (scalability.spatialLayers > 1 || codec == .vp9 || codec == .av1)
        let isPlain = count <= 1 && scalability.spatialLayers <= 1 && scalability.temporalLayers <= 1
        kind = isPlain ? .whole : isSVC ? .svc : .encodings
        encodings = EncodingSelector(encodings: count)
        svc = SVCSelector(spatialLayers: scalability.spatialLayers, isKSVC: scalability.isKSVC)
        highestSpatial = isSVC ? scalability.spatialLayers - 1 : min(max(count, 1), SourceEncodings.capacity) - 1
        highestTemporal = min(max(scalability.temporalLayers, 1), PacketLayers.temporalLayers) - 1
        if let preferred { prefer(preferred) }
    }

    /// A selection for a consumer that needs one: `nil` for that of a stream without layers, unless `isNeeded`.
    static func make(
        codec: CodecKind, encodings count: Int, _ scalability: ScalabilitySettings, preferred: ConsumerLayers?,
        isNeeded: Bool = false
    ) -> UnsafeMutablePointer<LayerSelection>? {
        let selection = LayerSelection(codec: codec, encodings: count, scalability, preferred: preferred)
        guard isNeeded || selection.kind != .whole else { return nil }
        let memory = UnsafeMutablePointer<LayerSelection>.allocate(capacity: 1)
        memory.initialize(to: selection)
        return memory
    }

    /// Layers to send at most. The highest temporal layer means all: senders may use more than they announced.
    mutating func prefer(_ layers: ConsumerLayers) {
        preferred = layers
        let position = LayerPosition(
            spatial: min(Int(layers.spatial), highestSpatial),
            temporal: Int(layers.temporal) >= highestTemporal ? PacketLayers.temporalLayers - 1 : Int(layers.temporal))
        encodings.prefer(position)
        svc.setTarget(position)
    }

    /// The consumer or producer was paused, the source was switched or restarted: go on with a key frame.
    mutating func restart() {
        encodings.reset()
        svc.reset()
        limitToBase(false)
        previous = nil
    }

    /// Sends nothing above the base layer in time, or what is preferred again: a consumer that catches up.
    mutating func limitToBase(_ isLimited: Bool) {
        encodings.isLimitedToBase = isLimited
        svc.isLimitedToBase = isLimited
    }

    /// The last of the held packets that follow the one that got `begin`; `nil` where the consumer itself knows.
    var heldThrough: UInt64? {
        switch kind {
        case .whole: nil
        case .encodings: encodings.heldThrough
        case .svc: svc.heldThrough
        }
    }

    func isSending(encoding: Int) -> Bool { kind != .encodings || encodings.currentEncoding == encoding }

    /// The encoding whose key frame would bring a wanted change.
    var wantedKeyFrame: Int? {
        switch kind {
        case .whole: nil
        case .encodings: encodings.wantedKeyFrame
        case .svc: svc.wantsKeyFrame ? 0 : nil
        }
    }

    /// The encoding a receiver means that asks for a key frame.
    var mainEncoding: Int { kind == .encodings ? encodings.currentEncoding ?? encodings.wantedKeyFrame ?? 0 : 0 }

    /// The layers sent now, if they changed since the last call.
    mutating func pollChange() -> (isChanged: Bool, layers: ConsumerLayers?) {
        let mayDiffer: Bool
        let position: LayerPosition?
        switch kind {
        case .whole: return (false, nil)
        case .encodings: (mayDiffer, position) = (encodings.pollChange(), encodings.layers)
        case .svc: (mayDiffer, position) = (svc.pollChange(), svc.layers)
        }
        guard mayDiffer else { return (false, reported) }
        let layers = position.map {
            ConsumerLayers(
                spatial: UInt8(truncatingIfNeeded: $0.spatial),
                temporal: UInt8(truncatingIfNeeded: min($0.temporal, highestTemporal)))
        }
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
        let word = Int(truncatingIfNeeded: output >> 6) & 63
        let bit: UInt64 = 1 << (output & 63)
        markers[word] &= ~bit
        paddings[word] &= ~bit
        switch change {
        case .none: break
        case .marker: markers[word] |= bit
        case .paddingOnly: paddings[word] |= bit
        }
    }

    /// What an output was, of the newest 4096.
    func change(ofOutput output: UInt64) -> Change {
        let word = Int(truncatingIfNeeded: output >> 6) & 63
        let bit: UInt64 = 1 << (output & 63)
        if paddings[word] & bit != 0 { return .paddingOnly }
        return markers[word] & bit != 0 ? .marker : .none
    }
}

// MARK: Snapshot

extension LayerSelection: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        kind = try reader.read()
        encodings = try reader.read()
        svc = try reader.read()
        preferred = try reader.readOptional()
        pictures = try reader.read()
        firstOutput = try reader.readCounter()
        previous = try reader.readOptional()
        joinGraceEnd = try reader.readOptional()
        highestSpatial = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
        highestTemporal = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
        reported = try reader.readOptional()
        markers = try reader.read()
        paddings = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(kind)
        writer.write(encodings)
        writer.write(svc)
        writer.writeOptional(preferred)
        writer.write(pictures)
        writer.write(firstOutput)
        writer.writeOptional(previous)
        writer.writeOptional(joinGraceEnd)
        writer.writeUInt8(UInt8(clamping: highestSpatial))
        writer.writeUInt8(UInt8(clamping: highestTemporal))
        writer.writeOptional(reported)
        writer.write(markers)
        writer.write(paddings)
    }
}

extension LayerSelection.Kind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .whole
        case 2: self = .encodings
        case 3: self = .svc
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .whole: writer.writeUInt8(1)
        case .encodings: writer.writeUInt8(2)
        case .svc: writer.writeUInt8(3)
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
