/// Explains the dependency descriptors of one received stream: keeps the structure of the newest key frame and which
/// decode targets the sender still produces.
///
/// Memory: nothing before the first structure, then about 5 KiB.
@safe struct DependencyDescriptorDecoder: ~Copyable {
    // Safe: owned; points to one initialized value or is `nil`.
    private var structure: UnsafeMutablePointer<FrameDependencyStructure?>?
    /// The extended sequence number of the packet that brought the structure.
    private var structureSequence: UInt64 = 0
    private var activeSequence: UInt64 = 0
    /// The decode targets that the sender produces, the first in the lowest bit.
    private(set) var activeDecodeTargets: UInt32 = 0

    /// For each decode target the layers that it serves.
    private var layersOfTarget = InlineArray<32, UInt64>(repeating: 0)

    init() {}

    deinit {
        unsafe structure?.deinitialize(count: 1)
        unsafe structure?.deallocate()
    }

    var hasStructure: Bool { unsafe structure?.pointee != nil }
    /// How many spatial layers the structure has, 1…4; `nil` without one.
    var spatialLayerCount: Int? { unsafe structure?.pointee?.spatialLayerCount }

    /// Reads one packet's descriptor.
    ///
    /// - Parameter sequence: the packet's extended number. A key frame that comes late explains itself, but replaces
    ///   nothing newer.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer, sequence: UInt64
    ) throws(DependencyDescriptorError) -> DependencyDescriptor {
        let kept: UnsafeMutablePointer<FrameDependencyStructure?>
        if let structure = unsafe structure {
            unsafe kept = structure
        } else {
            // Only a descriptor that carries a structure is worth the memory.
            var first: FrameDependencyStructure?
            let descriptor = try unsafe DependencyDescriptor(parsing: bytes, structure: &first)
            unsafe kept = .allocate(capacity: 1)
            unsafe kept.initialize(to: first)
            unsafe structure = kept
            accepted(descriptor, sequence: sequence)
            return descriptor
        }
        if sequence < structureSequence {
            // An older sequence's packet means an older structure, unless it brings its own.
            var own: FrameDependencyStructure?
            return try unsafe DependencyDescriptor(parsing: bytes, structure: &own)
        }
        let descriptor = try unsafe DependencyDescriptor(parsing: bytes, structure: &kept.pointee)
        accepted(descriptor, sequence: sequence)
        return descriptor
    }

    /// Forgets everything: the stream restarted.
    mutating func reset() {
        unsafe structure?.deinitialize(count: 1)
        unsafe structure?.deallocate()
        unsafe structure = nil
        structureSequence = 0
        activeSequence = 0
        activeDecodeTargets = 0
        assignLayers()
    }

    /// Which layers need a frame, and to which it lets a receiver switch, as `PacketLayers` has them.
    ///
    /// A layer that the sender does not produce gets what the nearest produced one below it gets.
    /// - Returns: needed by all when the packet is older than the structure.
    func layerMasks(of descriptor: DependencyDescriptor, sequence: UInt64) -> (neededBy: UInt64, switchTo: UInt64) {
        guard sequence >= structureSequence else { return (.max, 0) }
        var neededBy: UInt64 = 0
        var switchTo: UInt64 = 0
        for target in 0..<descriptor.decodeTargetCount {
            switch descriptor.indication(forDecodeTarget: target) {
            case .notPresent: continue
            case .switchPoint: switchTo |= layersOfTarget[target]
            case .discardable, .required: break
            }
            neededBy |= layersOfTarget[target]
        }
        return (neededBy, switchTo)
    }

    /// The highest spatial layer of the decode targets that the sender produces.
    private(set) var highestSpatialLayer = 0

    /// Gives each pair of layers to the best active decode target that does not exceed it.
    private mutating func assignLayers() {
        layersOfTarget = InlineArray(repeating: 0)
        highestSpatialLayer = 0
        guard let structure = unsafe structure, let count = unsafe structure.pointee?.decodeTargetCount else { return }
        for spatial in 0..<PacketLayers.spatialLayers {
            for temporal in 0..<PacketLayers.temporalLayers {
                var best: Int?
                var bestRank = -1
                for target in 0..<count where activeDecodeTargets >> UInt32(target) & 1 != 0 {
                    guard let layers = unsafe structure.pointee?.layers(ofDecodeTarget: target),
                        layers.spatial <= spatial,
                        layers.temporal <= temporal
                    else { continue }
                    highestSpatialLayer = max(highestSpatialLayer, Int(layers.spatial))
                    let rank = Int(layers.spatial) << 3 | Int(layers.temporal)
                    if rank > bestRank {
                        best = target
                        bestRank = rank
                    }
                }
                if let best { layersOfTarget[best] |= PacketLayers.bit(spatial: spatial, temporal: temporal) }
            }
        }
    }

    private mutating func accepted(_ descriptor: DependencyDescriptor, sequence: UInt64) {
        if descriptor.hasStructure {
            structureSequence = sequence
            activeSequence = sequence
            activeDecodeTargets = unsafe descriptor.activeDecodeTargets ?? structure?.pointee?.allDecodeTargets ?? 0
            assignLayers()
        } else if let active = descriptor.activeDecodeTargets, sequence >= activeSequence {
            activeSequence = sequence
            guard active != activeDecodeTargets else { return }
            activeDecodeTargets = active
            assignLayers()
        }
    }
}

// MARK: Snapshot

extension DependencyDescriptorDecoder: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        structureSequence = try reader.readCounter()
        activeSequence = try reader.readCounter()
        activeDecodeTargets = try reader.read()
        guard let kept: FrameDependencyStructure = try reader.readOptional() else { return }
        let memory = UnsafeMutablePointer<FrameDependencyStructure?>.allocate(capacity: 1)
        unsafe memory.initialize(to: kept)
        unsafe structure = memory
        assignLayers()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(structureSequence)
        writer.write(activeSequence)
        writer.write(activeDecodeTargets)
        unsafe writer.writeOptional(structure?.pointee)
    }
}
