/// Takes packets at a rate, and for a while faster than that (the generic cell rate algorithm, ITU-T I.371).
///
/// What it decides by is when what it took would have come at the rate. It begins empty elsewhere, so that it is not written down.
struct IngressBucket {
    /// What may come at once, as time at the rate: key frames are many times as large as other pictures.
    static let burst = MediaDuration.seconds(1)

    /// Packets that it did not take.
    private(set) var refused: UInt64 = 0
    private var takenUntil = MediaInstant(nanoseconds: 0)

    /// - Returns: whether a packet may be taken now.
    @inline(__always)
    mutating func take(_ bytes: Int, _ rate: IngressRate, at now: MediaInstant) -> Bool {
        let start = max(takenUntil, now)
        guard start - now < Self.burst else {
            refused &+= 1
            return false
        }
        takenUntil = start + rate.time(ofPacket: bytes)
        return true
    }
}
