/// Finds the layers of each packet of one received stream, once for all consumers.
///
/// A descriptor that makes no sense leaves the layers unknown: such a packet is forwarded to everybody.
struct LayerReader: ~Copyable {
    let codec: CodecKind
    private let isKSVC: Bool
    private var descriptors = DependencyDescriptorDecoder()
    /// As the newest VP9 scalability structure has it.
    private var highestSpatialLayer: UInt8 = 7
    private var structureSequence: UInt64 = 0
    /// Descriptors that could not be read or explained.
    private(set) var failures: UInt64 = 0

    /// - Parameter isKSVC: whether the encoding's scalability mode ends in `_KEY`.
    init(codec: CodecKind, isKSVC: Bool = false) {
        self.codec = codec
        self.isKSVC = isKSVC
    }

    /// Reads one packet.
    /// - Parameters:
    ///   - descriptor: the value of the dependency descriptor extension; empty without one.
    ///   - sequence: the packet's extended number.
    mutating func read(
        payload: UnsafeRawBufferPointer, descriptor: UnsafeRawBufferPointer, sequence: UInt64
    ) -> PacketLayers {
        switch codec {
        case .opus:
            var layers = PacketLayers()
            if unsafe OpusPayload.isDTX(payload) { layers.flags.insert(.isDTX) }
            return layers
        case .vp8:
            if let parsed = try? unsafe VP8Descriptor(parsing: payload) {
                let named = PacketLayers(parsed)
                // A sender of the dependency descriptor may leave the layers out of VP8's own: Chromium does.
                guard !named.flags.contains(.isKnown), unsafe !descriptor.isEmpty else { return named }
                return unsafe explain(descriptor, sequence: sequence).keepingNames(of: named)
            }
        case .vp9:
            if let parsed = try? unsafe VP9Descriptor(parsing: payload) { return read(parsed, sequence: sequence) }
        case .h265:
            guard unsafe descriptor.isEmpty else { return unsafe explain(descriptor, sequence: sequence) }
            var layers = PacketLayers()
            layers.highestSpatialLayer = 0
            if let temporal = unsafe H265Payload.temporalLayer(payload) {
                unsafe layers.setTemporal(
                    temporal, isSwitchPoint: H265Payload.isTemporalSwitchPoint(payload),
                    isKeyFrame: H265Payload.isKeyFrame(payload))
                layers.flags.insert(.startsFrame)
                return layers
            }
        case .h264, .av1:
            guard unsafe !descriptor.isEmpty else { return PacketLayers() }
            return unsafe explain(descriptor, sequence: sequence)
        case .other: return PacketLayers()
        }
        failures += 1
        return PacketLayers()
    }

    /// Forgets what the stream said: it restarted.
    mutating func reset() {
        descriptors.reset()
        highestSpatialLayer = 7
        structureSequence = 0
    }

    private mutating func read(_ parsed: VP9Descriptor, sequence: UInt64) -> PacketLayers {
        if let count = parsed.spatialLayerCount, sequence >= structureSequence {
            structureSequence = sequence
            highestSpatialLayer = UInt8(truncatingIfNeeded: count - 1) & 7
        }
        return PacketLayers(parsed, isKSVC: isKSVC, highestSpatialLayer: highestSpatialLayer)
    }

    private mutating func explain(_ bytes: UnsafeRawBufferPointer, sequence: UInt64) -> PacketLayers {
        guard let descriptor = try? unsafe descriptors.decode(bytes, sequence: sequence) else {
            failures += 1
            return PacketLayers()
        }
        var layers = PacketLayers()
        layers.flags = [.isKnown, .describesTargets]
        if descriptor.startsFrame { layers.flags.insert(.startsFrame) }
        if descriptor.endsFrame { layers.flags.insert(.endsFrame) }
        layers.spatialLayer = descriptor.spatialLayer
        layers.temporalLayer = descriptor.temporalLayer
        layers.highestSpatialLayer = UInt8(truncatingIfNeeded: descriptors.highestSpatialLayer)
        (layers.neededBy, layers.switchTo) = descriptors.layerMasks(of: descriptor, sequence: sequence)
        return layers
    }
}

extension PacketLayers {
    /// These layers with the VP8 picture id, TL0 index and frame's beginning of others.
    fileprivate func keepingNames(of named: PacketLayers) -> PacketLayers {
        var layers = self
        layers.flags.formUnion(named.flags)
        layers.pictureID = named.pictureID
        layers.pictureIDOffset = named.pictureIDOffset
        layers.tl0PictureIndex = named.tl0PictureIndex
        layers.tl0PictureIndexOffset = named.tl0PictureIndexOffset
        return layers
    }
}

// MARK: Snapshot

extension LayerReader: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        // What cannot be copied is whole before reading can fail.
        self.init(codec: .other)
        self = LayerReader(codec: try reader.read(), isKSVC: try reader.read())
        descriptors = try reader.read()
        highestSpatialLayer = try reader.read(in: 0...7)
        structureSequence = try reader.readCounter()
        failures = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(codec)
        writer.write(isKSVC)
        writer.write(descriptors)
        writer.write(highestSpatialLayer)
        writer.write(structureSequence)
        writer.write(failures)
    }
}
