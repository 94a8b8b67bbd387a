/// Frame properties that a key frame announces, so that later frames name them by number.
struct FrameTemplate: Hashable, Sendable {
    /// 0…3.
    var spatialLayer: UInt8 = 0
    /// 0…7.
    var temporalLayer: UInt8 = 0
    /// Two bits for each decode target, the first in the lowest bits.
    var indications: UInt64 = 0
    /// Distances in frame numbers to the frames referred to, 1…16.
    var frameDifferences = FrameDifferences()
    var chainDifferences = ChainDifferences()
}

extension FrameTemplate {
    init(restoring reader: inout SnapshotReader, chains: Int) throws(WireError) {
        self.init()
        spatialLayer = try reader.read(in: 0...FrameDependencyStructure.maxSpatialLayers - 1)
        temporalLayer = try reader.read(in: 0...FrameDependencyStructure.maxTemporalLayers - 1)
        indications = try reader.read()
        for _ in 0..<(try reader.readCount(atMost: FrameDifferences.capacity)) {
            try frameDifferences.append(try reader.read())
        }
        for chain in 0..<chains { chainDifferences[chain] = try reader.read() }
    }

    func write(to writer: inout SnapshotWriter, chains: Int) {
        writer.write(spatialLayer)
        writer.write(temporalLayer)
        writer.write(indications)
        writer.writeCount(frameDifferences.count)
        for index in 0..<frameDifferences.count { writer.write(frameDifferences[index]) }
        for chain in 0..<chains { writer.write(chainDifferences[chain]) }
    }
}
