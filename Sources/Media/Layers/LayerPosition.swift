/// A spatial layer (of simulcast: the encoding) and a temporal one.
struct LayerPosition: Hashable, Sendable {
    var spatial: Int
    var temporal: Int

    /// All that there is.
    static let highest = LayerPosition(spatial: 7, temporal: 7)
}

// MARK: Snapshot

extension LayerPosition: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        spatial = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
        temporal = Int(try reader.read(in: 0...7 as ClosedRange<UInt8>))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(UInt8(clamping: spatial))
        writer.writeUInt8(UInt8(clamping: temporal))
    }
}
