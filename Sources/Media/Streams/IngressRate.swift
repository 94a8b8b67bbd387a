/// A rate at which packets may come.
struct IngressRate: Sendable, Hashable {
    /// What a packet counts for at least: the work for one hardly depends on its length, so that a bound on bits bounds packets
    /// too.
    static let leastPacket = 625

    /// In 1/1024 ns.
    private let timePerByte: UInt64

    let bitsPerSecond: UInt64

    init(megabits: Int) {
        let bounded = UInt64(max(1, min(megabits, 1_000_000)))
        timePerByte = 8_000 * 1024 / bounded
        bitsPerSecond = bounded * 1_000_000
    }

    /// How long a packet takes at this rate.
    @inline(__always)
    func time(ofPacket bytes: Int) -> MediaDuration {
        // A packet is no longer than a datagram, so that nothing overflows.
        let counted = UInt64(max(Self.leastPacket, min(bytes, 0xFFFF)))
        return MediaDuration(nanoseconds: Int64((counted &* timePerByte) >> 10))
    }
}
