/// Writes what a machine has to know to continue in another process: fixed-width little-endian fields, one after another.
struct SnapshotWriter {
    private(set) var bytes: [UInt8] = []

    mutating func writeUInt8(_ value: UInt8) { bytes.append(value) }
    mutating func writeUInt16(_ value: UInt16) { writeInteger(UInt64(value), of: 2) }
    mutating func writeUInt32(_ value: UInt32) { writeInteger(UInt64(value), of: 4) }
    mutating func writeUInt64(_ value: UInt64) { writeInteger(value, of: 8) }

    /// Appends bytes whose number the reader knows.
    mutating func writeBytes(_ value: [UInt8]) { bytes += value }

    /// Appends at most 65,535 bytes behind their number.
    mutating func writeCounted(_ value: [UInt8]) {
        assert(value.count <= 0xFFFF)
        writeUInt16(UInt16(truncatingIfNeeded: value.count))
        writeBytes(value)
    }

    /// Appends an integer's lowest bytes, at most eight.
    mutating func writeInteger(_ value: UInt64, of count: Int) {
        for byte in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
    }

    // MARK: Values

    mutating func write<Value: Restorable & ~Copyable>(_ value: borrowing Value) { value.write(to: &self) }

    mutating func writeOptional<Value: Restorable>(_ value: Value?) {
        write(value != nil)
        if let value { write(value) }
    }

    /// Appends how many of something follow: at most 65,535.
    mutating func writeCount(_ count: Int) {
        assert((0...0xFFFF).contains(count))
        writeUInt16(UInt16(truncatingIfNeeded: count))
    }

    /// Appends a text of at most 65,535 bytes.
    mutating func writeText(_ text: String) { writeCounted(Array(text.utf8)) }
}
