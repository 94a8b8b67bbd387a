/// One packet status chunk: a run of equal symbols, 14 one-bit symbols or 7 two-bit symbols (§3.1.3, §3.1.4).
struct TransportWideChunk: Sendable {
    static let maximumRun = 8191
    static let oneBitCount = 14
    static let twoBitCount = 7

    let encoded: UInt16

    init(encoded: UInt16) { self.encoded = encoded }

    /// - Parameter run: 1…`maximumRun`.
    init(run: Int, of symbol: TransportWideSymbol) {
        encoded = symbol.rawValue << 13 | UInt16(truncatingIfNeeded: run) & 0x1FFF
    }

    private var isVector: Bool { encoded & 0x8000 != 0 }
    private var isTwoBit: Bool { encoded & 0x4000 != 0 }

    /// How many packets the chunk can describe; the last chunk of a feedback may describe more than there are.
    var count: Int {
        guard isVector else { return Int(encoded & 0x1FFF) }
        return isTwoBit ? Self.twoBitCount : Self.oneBitCount
    }

    /// - Parameter position: 0..<`count`.
    func symbol(at position: Int) -> TransportWideSymbol {
        let bits: UInt16 =
            if !isVector {
                encoded >> 13
            } else if isTwoBit {
                encoded >> UInt16(truncatingIfNeeded: 2 * (Self.twoBitCount - 1 - position))
            } else {
                encoded >> UInt16(truncatingIfNeeded: Self.oneBitCount - 1 - position) & 1
            }
        return TransportWideSymbol(rawValue: bits & 3) ?? .reserved
    }

    /// How many bytes of deltas belong to the first `count` packets.
    /// - Throws: `malformed` for a reserved symbol.
    func deltaLength(of count: Int) throws(WireError) -> Int {
        guard isVector else { return count * (try Self.deltaLength(of: symbol(at: 0))) }
        var length = 0
        for position in 0..<count { length += try Self.deltaLength(of: symbol(at: position)) }
        return length
    }

    private static func deltaLength(of symbol: TransportWideSymbol) throws(WireError) -> Int {
        switch symbol {
        case .notReceived: 0
        case .smallDelta: 1
        case .largeDelta: 2
        case .reserved: throw .malformed
        }
    }
}
