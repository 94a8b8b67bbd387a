/// What can be written down and go on elsewhere as if nothing had happened: plain values, and the machines made of them.
///
/// Fields have no names and no lengths: they are read in the order in which they were written. An enumeration has numbers
/// of its own for this, never Swift's order of its cases. What is read is checked as far as a wrong value could trap
/// later, and a number of things is compared with what the machine may hold before there is memory for them.
protocol Restorable: ~Copyable {
    /// - Throws: `truncated` before the end, `malformed` or `tooLarge` for what no machine has written.
    init(restoring reader: inout SnapshotReader) throws(WireError)
    func write(to writer: inout SnapshotWriter)
}

extension Restorable where Self: FixedWidthInteger {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self = Self(truncatingIfNeeded: try reader.readInteger(of: Self.bitWidth / 8))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeInteger(UInt64(truncatingIfNeeded: self), of: Self.bitWidth / 8)
    }
}

// `Int` is left out: its width is the processor's.
extension UInt8: Restorable {}
extension UInt16: Restorable {}
extension UInt32: Restorable {}
extension UInt64: Restorable {}
extension Int8: Restorable {}
extension Int16: Restorable {}
extension Int64: Restorable {}

extension Bool: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self = try reader.read(in: 0...1 as ClosedRange<UInt8>) == 1
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(self ? 1 : 0) }
}

extension InlineArray: Restorable where Element: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try self.init { _ throws(WireError) in try Element(restoring: &reader) }
    }

    func write(to writer: inout SnapshotWriter) {
        for index in indices { writer.write(self[index]) }
    }
}

extension MediaInstant: Restorable {
    /// A clock that has run for more than 146 years is none, and differences of such instants would overflow.
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(nanoseconds: try reader.read(in: 0...MediaInstant.never.nanoseconds))
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt64(nanoseconds) }
}

extension MediaDuration: Restorable {
    /// No machine keeps a negative one.
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(nanoseconds: try reader.read(in: 0...(1 << 62)))
    }

    func write(to writer: inout SnapshotWriter) { writer.write(nanoseconds) }
}

extension SSRC: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(try reader.readUInt32()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt32(rawValue) }
}
