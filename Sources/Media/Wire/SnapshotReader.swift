/// Reads what a `SnapshotWriter` wrote; every read is checked against the end.
struct SnapshotReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether everything has been read.
    var isAtEnd: Bool { offset == bytes.count }

    mutating func readUInt8() throws(WireError) -> UInt8 { UInt8(truncatingIfNeeded: try read(1)) }
    mutating func readUInt16() throws(WireError) -> UInt16 { UInt16(truncatingIfNeeded: try read(2)) }
    mutating func readUInt32() throws(WireError) -> UInt32 { UInt32(truncatingIfNeeded: try read(4)) }
    mutating func readUInt64() throws(WireError) -> UInt64 { try read(8) }

    mutating func readBytes(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// Reads bytes that stand behind their number.
    mutating func readCounted() throws(WireError) -> [UInt8] { try readBytes(Int(try readUInt16())) }

    private mutating func read(_ count: Int) throws(WireError) -> UInt64 {
        guard count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
