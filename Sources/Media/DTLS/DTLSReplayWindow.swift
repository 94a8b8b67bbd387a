/// The last 64 record numbers of an epoch (RFC 6347 §4.1.2.6).
struct DTLSReplayWindow: Equatable {
    static let size: UInt64 = 64

    /// One more than the highest number that authenticated; 0 before the first.
    private(set) var next: UInt64 = 0
    /// Bit n: the number n below the highest was seen.
    private(set) var seen: UInt64 = 0

    init() {}

    /// Continues another window.
    init(next: UInt64, seen: UInt64) {
        self.next = min(next, DTLSRecordHeader.largestSequence + 1)
        self.seen = seen
    }

    /// Whether a record may still be accepted: newer than all, or within the window and not yet seen.
    func isFresh(_ sequence: UInt64) -> Bool {
        guard sequence < next else { return true }
        let age = next - 1 - sequence
        return age < Self.size && seen >> age & 1 == 0
    }

    /// Notes a number that authenticated.
    mutating func record(_ sequence: UInt64) {
        if sequence >= next {
            let step = sequence - next + 1
            seen = step < Self.size ? seen << step | 1 : 1
            next = sequence + 1
        } else if next - 1 - sequence < Self.size {
            seen |= 1 << (next - 1 - sequence)
        }
    }
}
