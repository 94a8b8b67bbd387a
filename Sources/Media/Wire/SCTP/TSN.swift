/// A transmission sequence number (RFC 9260 §1.6), compared on its circle of 32 bits (RFC 1982). Request numbers of
/// RE-CONFIG run on the same circle.
struct TSN: Hashable, Sendable {
    /// The number on the wire.
    var rawValue: UInt32

    /// Takes the number on the wire.
    init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The signed distance from `other` to this number.
    func distance(from other: TSN) -> Int { Int(Int32(bitPattern: rawValue &- other.rawValue)) }

    /// Whether this number comes after `other` on the circle.
    func isNewer(than other: TSN) -> Bool { distance(from: other) > 0 }

    /// The number `count` steps further on the circle; negative goes back.
    func advanced(by count: Int) -> TSN { TSN(rawValue &+ UInt32(truncatingIfNeeded: count)) }

    var next: TSN { TSN(rawValue &+ 1) }
    var previous: TSN { TSN(rawValue &- 1) }
}

extension TSN: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(try reader.readUInt32()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt32(rawValue) }
}
