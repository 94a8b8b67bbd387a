import Synchronization

// Roles
//   One writer: the shard whose counters they are calls `add`. Any thread calls `value` and `snapshot`.
//
// Layout
//   One 8-byte atomic per case of `ShardCounter`, in an allocation aligned to and padded with 128 bytes, so that no other
//   shard's counters share a cache line.
//
// Ordering
//   All relaxed: a counter publishes nothing but itself, and two counters of one snapshot may be of different moments. `add`
//   is a load and a store, not a read-modify-write: with one writer nothing is lost, and it costs what a plain add costs.
//
// Progress and overflow
//   Wait-free; values wrap at 2^64.
//
// Checked by
//   LockFreeTests/CountersTests: "readers see every counter rise and end at the sum", under the thread sanitizer. There is
//   no ordering to weaken.

/// What a shard counts.
enum ShardCounter: Int, CaseIterable, Sendable {
    case datagramsReceived, bytesReceived, datagramsSent, bytesSent
    case rtpReceived, rtpSent, rtcpReceived, rtcpSent, stunReceived, dtlsReceived
    case forwardedPackets, retransmittedPackets, nackRequests, keyFrameRequests
    case crossShardPackets, crossShardBytes
    case loopTurns, commands, wakes
    case droppedUnknownTuple, droppedMalformed, droppedAuthentication, droppedReplay, droppedUnknownStream
    case droppedDuplicate, droppedImplausible, droppedOversized, droppedRingFull, droppedSendBufferFull
    case droppedCommand, ignoredRace, internalError
}

/// One shard's counters.
// Sendable: every access is atomic.
final class Counters: @unchecked Sendable {
    private static let count = ShardCounter.allCases.count
    // Safe: owns `count` initialised atomics; a case's raw value is below `count`.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let memory: UnsafeMutableRawPointer

    init() {
        let bytes = (Self.count * MemoryLayout<UInt64>.stride + 127) & ~127
        memory = .allocate(byteCount: bytes, alignment: 128)
        cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.count)
        for index in 0..<Self.count { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.count)
        memory.deallocate()
    }

    /// Adds to a counter; the owning shard only.
    func add(_ counter: ShardCounter, _ amount: UInt64 = 1) {
        let value = cells[counter.rawValue].load(ordering: .relaxed)
        cells[counter.rawValue].store(value &+ amount, ordering: .relaxed)
    }

    func value(_ counter: ShardCounter) -> UInt64 { cells[counter.rawValue].load(ordering: .relaxed) }

    /// Every counter's value, indexed by raw value.
    func snapshot() -> [UInt64] { ShardCounter.allCases.map { value($0) } }
}
