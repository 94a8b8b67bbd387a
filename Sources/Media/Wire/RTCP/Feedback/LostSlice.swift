/// Macroblocks of one picture that a receiver cannot show (RFC 4585 §6.3.2.2).
struct LostSlice: Hashable, Sendable {
    /// The first lost macroblock, counted from 1 at the top left; 13 bits.
    var first: UInt16
    /// 13 bits.
    var count: UInt16
    /// The low six bits of the codec's picture number.
    var picture: UInt8
}
