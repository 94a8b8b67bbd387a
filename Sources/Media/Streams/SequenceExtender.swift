/// Extends 16-bit sequence numbers to 64 bits and judges their plausibility (RFC 3550 appendix A.1).
///
/// Extended numbers only grow from one resynchronization to the next, so they may key a buffer for the stream's whole
/// life. The first packet gets cycle one, which leaves room for packets that were sent before it and arrive after it.
struct SequenceExtender {
    enum Outcome: Hashable, Sendable {
        /// Newer than everything before.
        case newest(UInt64)
        /// The newest again, or older by less than `maxMisorder`.
        case late(UInt64)
        /// The second of two consecutive numbers far away from the rest: the sender restarted.
        case resynchronized(UInt64)
        /// Too far away to be believed yet.
        case implausible
    }

    static let maxDropout = 3000
    static let maxMisorder = 1500

    /// The newest extended number; zero before the first packet.
    private(set) var highest: UInt64 = 0
    /// The first number since the start or the last resynchronization.
    private(set) var base: UInt64 = 0
    /// The number that, coming next, would confirm a restart.
    private var expectedAfterJump: UInt16?
    private(set) var hasStarted = false

    /// The newest number as a report shows it: cycles counted from the start or the last resynchronization.
    var reportedHighest: UInt32 { UInt32(truncatingIfNeeded: highest &- (base & ~0xFFFF)) }
    /// How many packets the numbers since `base` imply.
    var expected: UInt64 { hasStarted ? highest - base + 1 : 0 }

    mutating func extend(_ sequence: UInt16) -> Outcome {
        guard hasStarted else {
            hasStarted = true
            highest = 0x1_0000 | UInt64(sequence)
            base = highest
            return .newest(highest)
        }
        let forward = Int(sequence &- UInt16(truncatingIfNeeded: highest))
        if forward != 0, forward < Self.maxDropout {
            highest += UInt64(forward)
            expectedAfterJump = nil
            return .newest(highest)
        }
        let backward = forward == 0 ? 0 : 0x1_0000 - forward
        if backward < Self.maxMisorder { return .late(highest - UInt64(backward)) }
        guard sequence == expectedAfterJump else {
            expectedAfterJump = sequence &+ 1
            return .implausible
        }
        // Two cycles on, so that late packets of the new numbering cannot meet numbers of the old one.
        highest = (((highest >> 16) + 2) << 16) | UInt64(sequence)
        base = highest
        expectedAfterJump = nil
        return .resynchronized(highest)
    }

    /// The extended form of the number nearest to the newest one, without changing anything; `nil` before the first packet.
    func nearest(_ sequence: UInt16) -> UInt64? {
        guard hasStarted else { return nil }
        let distance = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
        return UInt64(Int64(highest) + distance)
    }
}

// MARK: Snapshot

extension SequenceExtender: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        hasStarted = try reader.read()
        guard hasStarted else { return }
        // The first number gets cycle one, and they only grow.
        highest = try reader.read(in: 0x1_0000...SnapshotReader.largestCounter)
        base = try reader.read(in: 0x1_0000...highest)
        expectedAfterJump = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(hasStarted)
        guard hasStarted else { return }
        writer.write(highest)
        writer.write(base)
        writer.writeOptional(expectedAfterJump)
    }
}
