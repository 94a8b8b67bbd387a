/// Writes what a machine has to know to continue in another process: fixed-width little-endian fields, one after another.
struct SnapshotWriter {
    private(set) var bytes: [UInt8] = []

    mutating func writeUInt8(_ value: UInt8) { bytes.append(value) }
    mutating func writeUInt16(_ value: UInt16) { write(UInt64(value), count: 2) }
    mutating func writeUInt32(_ value: UInt32) { write(UInt64(value), count: 4) }
    mutating func writeUInt64(_ value: UInt64) { write(value, count: 8) }

    /// Appends bytes whose number the reader knows.
    mutating func writeBytes(_ value: [UInt8]) { bytes += value }

    /// Appends at most 65,535 bytes behind their number.
    mutating func writeCounted(_ value: [UInt8]) {
        assert(value.count <= 0xFFFF)
        writeUInt16(UInt16(truncatingIfNeeded: value.count))
        writeBytes(value)
    }

    private mutating func write(_ value: UInt64, count: UInt64) {
        for byte in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
}
