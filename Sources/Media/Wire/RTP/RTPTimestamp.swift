/// A 32-bit RTP timestamp in units of the codec's clock rate (RFC 3550 §5.1), compared on its circle.
struct RTPTimestamp: Hashable, Sendable {
    /// The number on the wire.
    var rawValue: UInt32

    /// Takes the number on the wire.
    init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The signed distance from `other` to this timestamp, in clock units.
    func distance(from other: RTPTimestamp) -> Int {
        Int(Int32(truncatingIfNeeded: Int64(rawValue) - Int64(other.rawValue)))
    }

    /// Whether this timestamp comes after `other` on the circle.
    func isNewer(than other: RTPTimestamp) -> Bool { distance(from: other) > 0 }

    /// The timestamp `units` further on the circle; negative goes back.
    func advanced(by units: Int) -> RTPTimestamp {
        RTPTimestamp(UInt32(truncatingIfNeeded: Int(rawValue) &+ units))
    }
}
