import Synchronization

// Roles
//   One writer: the shard whose counters they are calls `add`. Any thread calls `value`.
//
// Layout
//   One 8-byte atomic per case of `ShardCounter`, `DropReason` and `DTLSFailure`, and for each `QualityMeasure` of each kind of
//   media one per bucket and one for the sum, in an allocation aligned to and padded with 128
//   bytes, so that no other shard's counters share a cache line.
//
// Ordering
//   All relaxed: a counter publishes nothing but itself, and two counters read one after the other may be of different
//   moments. `add` is a load and a store, not a read-modify-write: with one writer nothing is lost, and it costs what a
//   plain add costs.
//
// Progress and overflow
//   Wait-free; values wrap at 2^64.
//
// Checked by
//   LockFreeTests/CountersTests: "readers see every counter rise and end at the sum", under the thread sanitizer. There is
//   no ordering to weaken.

/// One shard's counters: what it did, and what it dropped for which reason.
// Sendable: every access is atomic.
@safe final class Counters: @unchecked Sendable {
    private static let reasonsOffset = ShardCounter.allCases.count
    private static let failuresOffset = reasonsOffset + DropReason.allCases.count
    private static let qualityOffset = failuresOffset + DTLSFailure.allCases.count
    private static let cellsPerHistogram = QualityMeasure.buckets + 1
    private static let count = qualityOffset + QualityMeasure.allCases.count * 2 * cellsPerHistogram
    // Safe: owns `count` initialized atomics; a case's raw value is below its enumeration's count.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let memory: UnsafeMutableRawPointer

    init() {
        let bytes = (Self.count * MemoryLayout<UInt64>.stride + 127) & ~127
        unsafe memory = .allocate(byteCount: bytes, alignment: 128)
        unsafe cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.count)
        for index in 0..<Self.count { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe cells.deinitialize(count: Self.count)
        unsafe memory.deallocate()
    }

    /// Adds to a counter; the owning shard only.
    func add(_ counter: ShardCounter, _ amount: UInt64 = 1) { add(counter.rawValue, amount) }

    /// Counts a drop; the owning shard only.
    func add(_ reason: DropReason, _ amount: UInt64 = 1) { add(Self.reasonsOffset + reason.rawValue, amount) }

    /// Counts a handshake that failed; the owning shard only.
    func add(_ failure: DTLSFailure) { add(Self.index(of: failure), 1) }

    func value(_ failure: DTLSFailure) -> UInt64 { unsafe cells[Self.index(of: failure)].load(ordering: .relaxed) }

    private static func index(of failure: DTLSFailure) -> Int {
        failuresOffset + (DTLSFailure.allCases.firstIndex(of: failure) ?? 0)
    }

    func value(_ counter: ShardCounter) -> UInt64 { unsafe cells[counter.rawValue].load(ordering: .relaxed) }

    func value(_ reason: DropReason) -> UInt64 {
        unsafe cells[Self.reasonsOffset + reason.rawValue].load(ordering: .relaxed)
    }

    /// Puts a value into its bucket; the owning shard only.
    func observe(_ measure: QualityMeasure, _ kind: MediaKind, _ value: UInt64) {
        let first = Self.index(of: measure, kind)
        add(first + (measure.bounds.firstIndex { value <= $0 } ?? QualityMeasure.buckets - 1), 1)
        add(first + QualityMeasure.buckets, value)
    }

    /// What was observed so far.
    func histogram(of measure: QualityMeasure, _ kind: MediaKind) -> QualityHistogram {
        let first = Self.index(of: measure, kind)
        let values = (0..<Self.cellsPerHistogram).map { unsafe cells[first + $0].load(ordering: .relaxed) }
        return QualityHistogram(
            measure: measure, kind: kind, counts: Array(values.prefix(QualityMeasure.buckets)),
            sum: values[QualityMeasure.buckets])
    }

    private static func index(of measure: QualityMeasure, _ kind: MediaKind) -> Int {
        qualityOffset + (measure.rawValue * 2 + (kind == .video ? 1 : 0)) * cellsPerHistogram
    }

    private func add(_ index: Int, _ amount: UInt64) {
        let value = unsafe cells[index].load(ordering: .relaxed)
        unsafe cells[index].store(value &+ amount, ordering: .relaxed)
    }
}
