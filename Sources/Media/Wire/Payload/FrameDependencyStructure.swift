/// The template dependency structure of a coded video sequence (AV1 RTP specification §A.8.2).
struct FrameDependencyStructure {
    static let maxTemplates = 64
    static let maxDecodeTargets = 32
    static let maxSpatialLayers: UInt8 = 4
    static let maxTemporalLayers: UInt8 = 8

    /// The number of the first template, 0…63.
    let templateIDOffset: UInt8
    /// 1…32.
    let decodeTargetCount: Int
    /// 1…64.
    private(set) var templateCount = 0
    /// 0…`decodeTargetCount`.
    private(set) var chainCount = 0
    private(set) var spatialLayerCount = 1
    private(set) var hasResolutions = false
    private var templates = InlineArray<64, FrameTemplate>(repeating: FrameTemplate())
    private var protectingChains = InlineArray<32, UInt8>(repeating: 0)
    private var targetLayers = InlineArray<32, UInt8>(repeating: 0)
    private var resolutions = InlineArray<4, UInt32>(repeating: 0)

    /// Whether every bit is set for a decode target.
    var allDecodeTargets: UInt32 { UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(decodeTargetCount)) - 1) }

    /// - Throws: `truncated`; `tooLarge` for more templates, layers or references than anyone sends.
    init(parsing reader: inout BitReader) throws(WireError) {
        templateIDOffset = UInt8(truncatingIfNeeded: try reader.read(6))
        decodeTargetCount = Int(try reader.read(5)) + 1
        try readLayers(&reader)
        for index in 0..<templateCount {
            templates[index].indications = try Self.readIndications(&reader, count: decodeTargetCount)
        }
        for index in 0..<templateCount {
            while try reader.readFlag() {
                try templates[index].frameDifferences.append(UInt16(truncatingIfNeeded: try reader.read(4)) + 1)
            }
        }
        try readChains(&reader)
        findTargetLayers()
        hasResolutions = try reader.readFlag()
        if hasResolutions {
            for layer in 0..<spatialLayerCount { resolutions[layer] = try reader.read(32) }
        }
    }

    /// The template with this number, or `nil` if the structure has none.
    func template(id: UInt8) -> FrameTemplate? {
        let index = Int((id &- templateIDOffset) & 63)
        return index < templateCount ? templates[index] : nil
    }

    /// The highest spatial and temporal layer of a decode target below `decodeTargetCount`.
    func layers(ofDecodeTarget index: Int) -> (spatial: UInt8, temporal: UInt8) {
        let packed = targetLayers[index]
        return (packed >> 3, packed & 7)
    }

    /// Which chain protects a decode target; `nil` without chains.
    func chain(protectingDecodeTarget index: Int) -> Int? {
        chainCount > 0 && index < decodeTargetCount ? Int(protectingChains[index]) : nil
    }

    /// The largest picture of a spatial layer in pixels; `nil` when the sender did not say.
    func resolution(ofSpatialLayer layer: Int) -> (width: Int, height: Int)? {
        guard hasResolutions, layer >= 0, layer < spatialLayerCount else { return nil }
        return (Int(resolutions[layer] >> 16) + 1, Int(resolutions[layer] & 0xFFFF) + 1)
    }

    static func readIndications(_ reader: inout BitReader, count: Int) throws(WireError) -> UInt64 {
        var indications: UInt64 = 0
        for target in 0..<count { indications |= UInt64(try reader.read(2)) << UInt64(2 * target) }
        return indications
    }

    private mutating func readLayers(_ reader: inout BitReader) throws(WireError) {
        var spatial: UInt8 = 0
        var temporal: UInt8 = 0
        while true {
            guard templateCount < Self.maxTemplates else { throw .tooLarge }
            templates[templateCount].spatialLayer = spatial
            templates[templateCount].temporalLayer = temporal
            templateCount += 1
            switch try reader.read(2) {
            case 0: continue
            case 1: temporal += 1
            case 2:
                temporal = 0
                spatial += 1
            default:
                spatialLayerCount = Int(spatial) + 1
                return
            }
            guard spatial < Self.maxSpatialLayers, temporal < Self.maxTemporalLayers else { throw .tooLarge }
        }
    }

    private mutating func readChains(_ reader: inout BitReader) throws(WireError) {
        chainCount = Int(try reader.readNonSymmetric(below: UInt32(decodeTargetCount) + 1))
        guard chainCount > 0 else { return }
        for target in 0..<decodeTargetCount {
            protectingChains[target] = UInt8(
                truncatingIfNeeded: try reader.readNonSymmetric(below: UInt32(chainCount)))
        }
        for index in 0..<templateCount {
            for chain in 0..<chainCount {
                templates[index].chainDifferences[chain] = UInt8(truncatingIfNeeded: try reader.read(4))
            }
        }
    }

    private mutating func findTargetLayers() {
        for target in 0..<decodeTargetCount {
            var spatial: UInt8 = 0
            var temporal: UInt8 = 0
            for index in 0..<templateCount where templates[index].indications >> UInt64(2 * target) & 3 != 0 {
                spatial = max(spatial, templates[index].spatialLayer)
                temporal = max(temporal, templates[index].temporalLayer)
            }
            targetLayers[target] = spatial << 3 | temporal
        }
    }
}

// MARK: Snapshot

extension FrameDependencyStructure: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        templateIDOffset = try reader.read(in: 0...63)
        decodeTargetCount = try reader.readCount(atMost: Self.maxDecodeTargets)
        templateCount = try reader.readCount(atMost: Self.maxTemplates)
        chainCount = try reader.readCount(atMost: decodeTargetCount)
        guard decodeTargetCount > 0, templateCount > 0 else { throw .malformed }
        for index in 0..<templateCount {
            templates[index] = try FrameTemplate(restoring: &reader, chains: chainCount)
            spatialLayerCount = max(spatialLayerCount, Int(templates[index].spatialLayer) + 1)
        }
        if chainCount > 0 {
            let chains = 0...UInt8(truncatingIfNeeded: chainCount - 1)
            for target in 0..<decodeTargetCount { protectingChains[target] = try reader.read(in: chains) }
        }
        findTargetLayers()
        hasResolutions = try reader.read()
        guard hasResolutions else { return }
        for layer in 0..<spatialLayerCount { resolutions[layer] = try reader.read() }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(templateIDOffset)
        writer.writeCount(decodeTargetCount)
        writer.writeCount(templateCount)
        writer.writeCount(chainCount)
        for index in 0..<templateCount { templates[index].write(to: &writer, chains: chainCount) }
        if chainCount > 0 {
            for target in 0..<decodeTargetCount { writer.write(protectingChains[target]) }
        }
        writer.write(hasResolutions)
        guard hasResolutions else { return }
        for layer in 0..<spatialLayerCount { writer.write(resolutions[layer]) }
    }
}
