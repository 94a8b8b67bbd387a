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

    /// A rate of packets of whatever length: they are taken as packets without one.
    init(packetsPerSecond rate: Int) {
        let bounded = UInt64(max(1, min(rate, 1_000_000)))
        timePerByte = 1_000_000_000 * 1024 / (bounded * UInt64(Self.leastPacket))
        bitsPerSecond = bounded * 8 * UInt64(Self.leastPacket)
    }

    /// How long a packet takes at this rate.
    @inline(__always)
    func time(ofPacket bytes: Int) -> MediaDuration {
        // Longer than any message of a data channel, and nothing overflows.
        let counted = UInt64(max(Self.leastPacket, min(bytes, 1 << 30)))
        return MediaDuration(nanoseconds: Int64((counted &* timePerByte) >> 10))
    }
}
