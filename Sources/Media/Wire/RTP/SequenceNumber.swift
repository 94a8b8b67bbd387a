/// A 16-bit RTP sequence number (RFC 3550 §5.1), compared on its circle.
struct SequenceNumber: Hashable, Sendable {
    /// The number on the wire.
    var rawValue: UInt16

    /// Takes the number on the wire.
    init(_ rawValue: UInt16) { self.rawValue = rawValue }

    /// The signed distance from `other` to this number, −32768…32767.
    func distance(from other: SequenceNumber) -> Int {
        Int(Int16(truncatingIfNeeded: Int32(rawValue) - Int32(other.rawValue)))
    }

    /// Whether this number comes after `other` on the circle.
    func isNewer(than other: SequenceNumber) -> Bool { distance(from: other) > 0 }

    /// The number `count` steps further on the circle; negative goes back.
    func advanced(by count: Int) -> SequenceNumber {
        SequenceNumber(UInt16(truncatingIfNeeded: Int(rawValue) &+ count))
    }
}
