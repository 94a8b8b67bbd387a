/// Expected against received packets of one SSRC, for its report block (RFC 3550 §6.4.1, appendix A.3).
struct ReceptionTracker {
    private(set) var extender = SequenceExtender()
    /// Packets since the extender's base, late and duplicate ones included, as the RFC counts.
    private var received: UInt64 = 0
    private var expectedAtReport: UInt64 = 0
    private var receivedAtReport: UInt64 = 0
    private(set) var fractionLost: UInt8 = 0

    /// Expected minus received since the start or the last resynchronization; negative with duplicates.
    var packetsLost: Int64 { Int64(extender.expected) - Int64(received) }

    mutating func packetReceived(_ sequence: UInt16) -> SequenceExtender.Outcome {
        let outcome = extender.extend(sequence)
        switch outcome {
        case .newest, .late:
            received += 1
        case .resynchronized:
            received = 1
            expectedAtReport = 0
            receivedAtReport = 0
        case .implausible: break
        }
        return outcome
    }

    /// A report block without jitter and sender report fields; starts a new interval for the fraction.
    mutating func makeReport() -> ReceptionReport {
        let expected = extender.expected
        let expectedNow = expected - expectedAtReport
        let receivedNow = received - receivedAtReport
        expectedAtReport = expected
        receivedAtReport = received
        if expectedNow == 0 || receivedNow >= expectedNow {
            fractionLost = 0
        } else {
            fractionLost = UInt8(clamping: (expectedNow - receivedNow) * 256 / expectedNow)
        }
        var report = ReceptionReport()
        report.fractionLost = fractionLost
        report.cumulativeLost = Int32(min(max(packetsLost, -0x80_0000), 0x7F_FFFF))
        report.extendedHighestSequence = extender.reportedHighest
        return report
    }
}

// MARK: Snapshot

extension ReceptionTracker: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        extender = try reader.read()
        received = try reader.readCounter()
        expectedAtReport = try reader.read(in: 0...extender.expected)
        receivedAtReport = try reader.read(in: 0...received)
        fractionLost = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(extender)
        writer.write(received)
        writer.write(expectedAtReport)
        writer.write(receivedAtReport)
        writer.write(fractionLost)
    }
}
