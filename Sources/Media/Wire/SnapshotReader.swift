/// Reads what a `SnapshotWriter` wrote; every read is checked against the end.
struct SnapshotReader: Equatable {
    private let bytes: [UInt8]
    /// Bytes read.
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether everything has been read.
    var isAtEnd: Bool { offset == bytes.count }

    mutating func readUInt8() throws(WireError) -> UInt8 { UInt8(truncatingIfNeeded: try readInteger(of: 1)) }
    mutating func readUInt16() throws(WireError) -> UInt16 { UInt16(truncatingIfNeeded: try readInteger(of: 2)) }
    mutating func readUInt32() throws(WireError) -> UInt32 { UInt32(truncatingIfNeeded: try readInteger(of: 4)) }
    mutating func readUInt64() throws(WireError) -> UInt64 { try readInteger(of: 8) }

    mutating func readBytes(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// Reads bytes that stand behind their number.
    mutating func readCounted() throws(WireError) -> [UInt8] { try readBytes(Int(try readUInt16())) }

    /// Reads an integer of at most eight bytes.
    mutating func readInteger(of count: Int) throws(WireError) -> UInt64 {
        guard count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: Values

    /// Above every number of packets or bytes and every extended sequence number that anyone reaches: 256 times this and
    /// sums of a few do not overflow.
    static let largestCounter: UInt64 = 1 << 54

    mutating func read<Value: Restorable & ~Copyable>() throws(WireError) -> Value { try Value(restoring: &self) }

    /// - Throws: `malformed` for a value outside the range.
    mutating func read<Value: Restorable & Comparable>(in range: ClosedRange<Value>) throws(WireError) -> Value {
        let value: Value = try read()
        guard range.contains(value) else { throw .malformed }
        return value
    }

    /// A byte says whether there is a value, which then follows.
    mutating func readOptional<Value: Restorable>() throws(WireError) -> Value? {
        let isPresent: Bool = try read()
        return isPresent ? try read() : nil
    }

    mutating func readOptional<Value: Restorable & Comparable>(
        in range: ClosedRange<Value>
    ) throws(WireError) -> Value? {
        let isPresent: Bool = try read()
        return isPresent ? try read(in: range) : nil
    }

    mutating func readCounter() throws(WireError) -> UInt64 { try read(in: 0...Self.largestCounter) }

    mutating func readOptionalCounter() throws(WireError) -> UInt64? { try readOptional(in: 0...Self.largestCounter) }

    /// Reads how many of something follow.
    /// - Throws: `tooLarge` above what their owner may hold.
    mutating func readCount(atMost limit: Int) throws(WireError) -> Int {
        let count = Int(try readUInt16())
        guard count <= limit else { throw .tooLarge }
        return count
    }

    /// Reads a text of so many bytes at most.
    mutating func readText(atMost limit: Int) throws(WireError) -> String {
        let bytes = try readBytes(try readCount(atMost: limit))
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
        return text
    }

    mutating func readVersion(_ version: UInt8) throws(WireError) {
        guard try readUInt8() == version else { throw .unsupportedVersion }
    }
}
