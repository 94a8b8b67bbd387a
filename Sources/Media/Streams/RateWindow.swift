/// A bitrate over a sliding window, in a fixed ring of twenty buckets.
struct RateWindow {
    private static let bucketCount = 20

    private let bucketNanoseconds: UInt64
    private var buckets = InlineArray<20, UInt32>(repeating: 0)
    private var sum: UInt64 = 0
    /// The number of the newest bucket since the clock's origin; zero before the first byte.
    private var newest: UInt64 = 0

    /// - Parameter window: at least 20 ms; 1 s for most streams, 2.5 s for simulcast, 6 s with DTX.
    init(window: MediaDuration = .seconds(1)) {
        let nanoseconds = UInt64(max(window.nanoseconds, 20_000_000))
        bucketNanoseconds = nanoseconds / UInt64(Self.bucketCount)
    }

    mutating func add(bytes: Int, at now: MediaInstant) {
        advance(to: now)
        let index = Int(newest % UInt64(Self.bucketCount))
        let added = UInt32(clamping: bytes)
        let (value, overflow) = buckets[index].addingReportingOverflow(added)
        if overflow { return }
        buckets[index] = value
        sum &+= UInt64(added)
    }

    /// Bits per second over the window that ends now.
    mutating func bitrate(at now: MediaInstant) -> UInt64 {
        advance(to: now)
        let window = bucketNanoseconds * UInt64(Self.bucketCount)
        // Cannot overflow: twenty buckets hold at most 2^37 bytes, times 8000 stays below 2^50.
        return sum * 8_000 / (window / 1_000_000)
    }

    mutating func reset() {
        buckets = InlineArray(repeating: 0)
        sum = 0
    }

    private mutating func advance(to now: MediaInstant) {
        let number = now.nanoseconds / bucketNanoseconds
        guard number > newest else { return }
        if number - newest >= UInt64(Self.bucketCount) {
            reset()
        } else {
            for passed in (newest + 1)...number {
                let index = Int(passed % UInt64(Self.bucketCount))
                sum -= UInt64(buckets[index])
                buckets[index] = 0
            }
        }
        newest = number
    }
}

// MARK: Snapshot

extension RateWindow: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        // From twenty milliseconds in twenty buckets to an hour.
        bucketNanoseconds = try reader.read(in: 1_000_000...180_000_000_000)
        newest = try reader.readCounter()
        buckets = try reader.read()
        for index in buckets.indices { sum += UInt64(buckets[index]) }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(bucketNanoseconds)
        writer.write(newest)
        writer.write(buckets)
    }
}
