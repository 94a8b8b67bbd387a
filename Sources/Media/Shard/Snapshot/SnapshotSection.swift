// Safe: a checksum is taken of an array, while it is borrowed.

/// The parts of a shard's snapshot, each with its kind, version, length and checksum before it.
///
/// Numbers with the highest bit are optional: a reader that does not know one leaves it out. Any other that it does not know
/// ends the reading, before anything was handed over.
enum SnapshotSection: UInt16, CaseIterable {
    case shard = 1
    case transports = 2
    case producers = 3
    case streams = 4
    case feeds = 5
    case consumers = 6
    /// What is known of receivers' networks. Without it that is found out again.
    case bandwidths = 0x8007
    /// What is known of senders' networks. Without it that is found out again.
    case incomings = 0x8008
    /// Data channels, of a shard that has any.
    case data = 0x8009

    /// How often senders get feedback. Without it that is found out again.
    case paces = 0x800A

    static let version: UInt8 = 1
    private static let optional: UInt16 = 0x8000

    /// Appends a section.
    func write(to snapshot: inout SnapshotWriter, _ build: (inout SnapshotWriter) -> Void) {
        var content = SnapshotWriter()
        build(&content)
        snapshot.writeUInt16(rawValue)
        snapshot.writeUInt8(Self.version)
        snapshot.writeUInt32(UInt32(truncatingIfNeeded: content.bytes.count))
        snapshot.writeUInt32(Self.checksum(content.bytes))
        snapshot.writeBytes(content.bytes)
    }

    /// Takes a snapshot apart.
    /// - Throws: `unsupportedVersion` for a section that this version does not know and must; `malformed` for one that is
    ///   damaged, missing, or there twice.
    static func read(_ snapshot: [UInt8]) throws(WireError) -> [SnapshotSection: SnapshotReader] {
        var reader = SnapshotReader(snapshot)
        var found: [SnapshotSection: SnapshotReader] = [:]
        while !reader.isAtEnd {
            let kind = try reader.readUInt16()
            let version = try reader.readUInt8()
            let length = Int(try reader.readUInt32())
            let checksum = try reader.readUInt32()
            let content = try reader.readBytes(length)
            guard Self.checksum(content) == checksum else { throw .malformed }
            guard let section = SnapshotSection(rawValue: kind), version == Self.version else {
                if kind & optional != 0 { continue }
                throw .unsupportedVersion
            }
            guard found.updateValue(SnapshotReader(content), forKey: section) == nil else { throw .malformed }
        }
        let needed = allCases.filter { $0.rawValue & optional == 0 }
        guard needed.allSatisfy({ found[$0] != nil }) else { throw .malformed }
        return found
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe CRC32.checksum($0) }
    }
}
