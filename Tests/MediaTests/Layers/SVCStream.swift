@testable import RoundhouseMedia

/// A VP9 sender as libvpx is one: three spatial layers, temporal pattern 0 2 1 2, and who refers to whom.
struct SVCStream {
    struct Frame: Hashable {
        var picture: Int
        var spatial: Int
    }

    struct Packet {
        var frame: Frame
        var temporal: Int
        var layers: PacketLayers
        var isKeyFrame: Bool
        var hasMarker: Bool
        var endsFrame: Bool
        var timestamp: UInt32
        var sequence: UInt64
    }

    let isKSVC: Bool
    var spatialLayers = 3
    private(set) var nextPicture = 0
    private var sequence: UInt64 = 1000
    private var lastBase = -1
    private var phase = 0
    /// The frames each frame needs to be decoded.
    private(set) var references: [Frame: [Frame]] = [:]

    init(isKSVC: Bool) { self.isKSVC = isKSVC }

    var startsPattern: Bool { phase % 4 == 0 }

    /// The packets of the next picture.
    mutating func picture(isKey wantsKey: Bool, packetsPerFrame: Int = 2) -> [Packet] {
        let isKey = wantsKey || nextPicture == 0
        if isKey { phase = 0 }
        let temporal = [0, 2, 1, 2][phase % 4]
        let picture = nextPicture
        var packets: [Packet] = []
        for spatial in 0..<spatialLayers {
            let frame = Frame(picture: picture, spatial: spatial)
            var needs: [Frame] = []
            if !isKey {
                let back = temporal == 0 ? picture - lastBase : temporal == 1 ? 2 : 1
                needs.append(Frame(picture: picture - back, spatial: spatial))
            }
            if spatial > 0, isKey || !isKSVC { needs.append(Frame(picture: picture, spatial: spatial - 1)) }
            references[frame] = needs
            for index in 0..<packetsPerFrame {
                let isFirst = index == 0
                let isLast = index == packetsPerFrame - 1
                var flags: UInt8 = 0x80 | 0x20
                if !isKey { flags |= 0x40 }
                if isFirst { flags |= 0x08 }
                if isLast { flags |= 0x04 }
                if spatial == spatialLayers - 1 || (isKSVC && !isKey) { flags |= 0x01 }
                let isUp = temporal > 0
                let hasStructure = isKey && spatial == 0 && isFirst
                if hasStructure { flags |= 0x02 }
                let depends = spatial > 0 && (isKey || !isKSVC)
                var bytes: [UInt8] = [flags, 0x80 | UInt8(picture >> 8 & 0x7F), UInt8(picture & 0xFF)]
                bytes.append(
                    UInt8(temporal) << 5 | (isUp ? 0x10 : 0) | UInt8(spatial) << 1 | (depends ? 1 : 0))
                bytes.append(UInt8(truncatingIfNeeded: picture / 4))
                if hasStructure { bytes.append(UInt8(spatialLayers - 1) << 5) }
                bytes.append(0xAA)
                var reader = LayerReader(codec: .vp9, isKSVC: isKSVC)
                var layers = bytes.withUnsafeBytes {
                    reader.read(
                        payload: $0, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: sequence)
                }
                layers.highestSpatialLayer = UInt8(spatialLayers - 1)
                let isStart = bytes.withUnsafeBytes { isKeyFrame(codec: .vp9, payload: $0) }
                packets.append(
                    Packet(
                        frame: frame, temporal: temporal, layers: layers, isKeyFrame: isStart,
                        hasMarker: isLast && spatial == spatialLayers - 1, endsFrame: isLast,
                        timestamp: UInt32(truncatingIfNeeded: 4_294_900_000 + picture * 3000), sequence: sequence))
                sequence += 1
            }
        }
        if temporal == 0 { lastBase = picture }
        phase += 1
        nextPicture += 1
        return packets
    }
}
