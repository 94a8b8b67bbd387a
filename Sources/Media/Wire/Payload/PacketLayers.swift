/// What choosing layers needs to know of a packet: found once when it is received, carried with it to other shards.
///
/// Layers are pairs of a spatial (0…7) and a temporal (0…7) one, and sets of pairs are 64 bits: `bit(spatial:temporal:)`.
struct PacketLayers: Hashable, Sendable {
    static let spatialLayers = 8
    static let temporalLayers = 8

    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt16
        /// The packet says which layers it belongs to.
        static let isKnown = Flags(rawValue: 1)
        /// The packet is the first of its frame (of one spatial layer).
        static let startsFrame = Flags(rawValue: 2)
        /// The packet is the last of its frame (of one spatial layer).
        static let endsFrame = Flags(rawValue: 4)
        /// `switchTo` is exact for every pair of layers, not just for the packet's own.
        static let describesTargets = Flags(rawValue: 8)
        static let hasPictureID = Flags(rawValue: 16)
        /// The picture id has 15 bits, else 7.
        static let hasLongPictureID = Flags(rawValue: 32)
        static let hasTL0PictureIndex = Flags(rawValue: 64)
        /// Opus: nothing but silence is announced.
        static let isDTX = Flags(rawValue: 128)

        /// Whether something in the packet counts pictures.
        var numbersPictures: Bool { !isDisjoint(with: [.hasPictureID, .hasTL0PictureIndex]) }
    }

    /// Layers whose receivers need the packet.
    var neededBy: UInt64 = .max
    /// Layers that a receiver may switch to at this frame, temporally.
    var switchTo: UInt64 = 0
    var pictureID: UInt16 = 0
    var flags = Flags()
    var spatialLayer: UInt8 = 0
    var temporalLayer: UInt8 = 0
    /// The highest spatial layer that the stream has now; 7 where nobody says so.
    var highestSpatialLayer: UInt8 = 7
    var tl0PictureIndex: UInt8 = 0
    /// Where the picture id lies in the payload.
    var pictureIDOffset: UInt8 = 0
    var tl0PictureIndexOffset: UInt8 = 0

    init() {}

    static func bit(spatial: Int, temporal: Int) -> UInt64 { 1 << UInt64((spatial & 7) << 3 | (temporal & 7)) }

    /// Layers with a temporal layer of at least `temporal` in one spatial layer.
    static func row(from temporal: UInt8) -> UInt64 { (0xFF << UInt64(temporal & 7)) & 0xFF }

    /// Layers with at least this temporal layer, in the spatial layers from `spatial` up to `through`.
    static func layers(spatial: UInt8, through: UInt8, temporal: UInt8) -> UInt64 {
        var mask: UInt64 = 0
        var layer = spatial & 7
        while layer <= through & 7 {
            mask |= row(from: temporal) << UInt64(layer << 3)
            layer += 1
        }
        return mask
    }

    /// Whether a receiver of these layers needs the packet.
    func isNeeded(spatial: Int, temporal: Int) -> Bool {
        neededBy & Self.bit(spatial: spatial, temporal: temporal) != 0
    }

    func allowsSwitch(spatial: Int, temporal: Int) -> Bool {
        switchTo & Self.bit(spatial: spatial, temporal: temporal) != 0
    }
}

extension PacketLayers {
    /// VP8 has temporal layers only (RFC 7741 §4.2).
    init(_ descriptor: VP8Descriptor) {
        self.init()
        if descriptor.startsPartition, descriptor.partitionIndex == 0 { flags.insert(.startsFrame) }
        if let pictureID = descriptor.pictureID, let offset = descriptor.pictureIDOffset {
            self.pictureID = pictureID
            pictureIDOffset = UInt8(truncatingIfNeeded: offset)
            flags.insert(.hasPictureID)
            if descriptor.hasLongPictureID { flags.insert(.hasLongPictureID) }
        }
        if let index = descriptor.tl0PictureIndex, let offset = descriptor.tl0PictureIndexOffset {
            tl0PictureIndex = index
            tl0PictureIndexOffset = UInt8(truncatingIfNeeded: offset)
            flags.insert(.hasTL0PictureIndex)
        }
        highestSpatialLayer = 0
        guard let temporal = descriptor.temporalLayer else { return }
        flags.insert(.isKnown)
        setTemporal(temporal, isSwitchPoint: descriptor.isLayerSync, isKeyFrame: descriptor.isKeyFrame)
    }

    /// VP9 (RFC 9628 §4.2).
    /// - Parameters:
    ///   - isKSVC: spatial layers depend on each other at key pictures only.
    ///   - highestSpatialLayer: as the newest scalability structure has it.
    init(_ descriptor: VP9Descriptor, isKSVC: Bool, highestSpatialLayer: UInt8) {
        self.init()
        self.highestSpatialLayer = highestSpatialLayer
        if descriptor.startsFrame { flags.insert(.startsFrame) }
        if descriptor.endsFrame { flags.insert(.endsFrame) }
        if let pictureID = descriptor.pictureID, let offset = descriptor.pictureIDOffset {
            self.pictureID = pictureID
            pictureIDOffset = UInt8(truncatingIfNeeded: offset)
            flags.insert(.hasPictureID)
            if descriptor.hasLongPictureID { flags.insert(.hasLongPictureID) }
        }
        guard let spatial = descriptor.spatialLayer, let temporal = descriptor.temporalLayer else { return }
        flags.insert(.isKnown)
        spatialLayer = spatial
        temporalLayer = temporal
        // Z says that higher layers do without this frame; of a K-SVC stream only key pictures are shared.
        let isOwnOnly = descriptor.isNotReferenceForUpperLayers || (isKSVC && descriptor.isInterPredicted)
        neededBy = Self.layers(spatial: spatial, through: isOwnOnly ? spatial : 7, temporal: temporal)
        if !descriptor.isInterPredicted {
            switchTo = .max
        } else if descriptor.isSwitchingUpPoint {
            switchTo = Self.layers(spatial: 0, through: 7, temporal: temporal)
        }
    }

    /// Temporal layers alone.
    mutating func setTemporal(_ temporal: UInt8, isSwitchPoint: Bool, isKeyFrame: Bool) {
        flags.insert(.isKnown)
        temporalLayer = temporal
        neededBy = Self.layers(spatial: 0, through: 7, temporal: temporal)
        if isKeyFrame {
            switchTo = .max
        } else if isSwitchPoint, temporal > 0 {
            switchTo = neededBy
        }
    }
}
