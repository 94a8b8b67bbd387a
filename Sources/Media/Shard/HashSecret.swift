/// What a table's hashes depend on and nobody outside of the process knows, so that no keys can be chosen to collide.
///
/// Two rounds of a multiplication whose 128 bits are folded, as in wyhash: `Hasher`, which is SipHash, costs 20 ns, and a
/// datagram's tuple is looked up before anything else is known of it.
struct HashSecret: Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    init(using random: inout some RandomNumberGenerator) {
        first = random.next()
        second = random.next()
        third = random.next()
        // Odd: a product with zero would forget the other factor.
        fourth = random.next() | 1
    }

    @inline(__always)
    func hash(_ high: UInt64, _ low: UInt64, _ rest: UInt64) -> UInt64 {
        let address = Self.fold(high ^ first, low ^ second)
        return Self.fold(address ^ rest ^ third, fourth)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
