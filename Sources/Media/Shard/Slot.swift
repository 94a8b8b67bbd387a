/// Names an element of a `SlotMap`: a number, so that it can be written down, and a generation, so that it never names
/// another element once its own is gone.
struct Slot<Element: ~Copyable>: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// A slot as it was written down.
    init(rawValue: UInt64) {
        self.init(
            index: UInt32(truncatingIfNeeded: rawValue), generation: UInt32(truncatingIfNeeded: rawValue >> 32))
    }

    var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(index) }
}

extension Slot: Restorable where Element: ~Copyable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(rawValue: try reader.readUInt64()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt64(rawValue) }
}
