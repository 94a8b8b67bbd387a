/// Limits for the receiver's playout delay, each 0…4095 in units of 10 ms.
struct PlayoutDelay: Hashable, Sendable {
    var minimum: UInt16
    var maximum: UInt16

    init(minimum: UInt16, maximum: UInt16) {
        self.minimum = minimum & 0x0FFF
        self.maximum = maximum & 0x0FFF
    }

    /// - Parameter encoded: 24 bits, the minimum in the upper half.
    init(encoded: UInt32) {
        self.init(minimum: UInt16(truncatingIfNeeded: encoded >> 12), maximum: UInt16(truncatingIfNeeded: encoded))
    }

    var encoded: UInt32 { UInt32(minimum) << 12 | UInt32(maximum) }
}
