import Testing

@testable import RoundhouseMedia

@Suite("The recorder of arrivals, written down and restored")
struct TransportWideSnapshotTests {
    @Test func `feedback goes on with every arrival`() throws {
        try SnapshotScript(pace: .milliseconds(9), countOffset: 1, TransportWideRecorder()) {
            recorder, index, random, now in
            // Over the roll-over, then the counter begins again.
            let start = 65_450 + (index < 250 ? 0 : 20_000)
            if !random.isOne(in: 5) {
                let sequence = start + index - (random.isOne(in: 6) ? random.below(30) : 0)
                recorder.packetReceived(sequence: UInt16(truncatingIfNeeded: sequence), at: now)
            }
            let statuses = UnsafeMutableBufferPointer<Int32>.allocate(capacity: 8)
            defer { statuses.deallocate() }
            var said = "\(recorder.nextDeadline, default: "") \(recorder.duplicates)"
            if random.isOne(in: 3) {
                while let feedback = recorder.pollFeedback(at: now, into: statuses) {
                    said += " \(feedback) \(Array(statuses[..<feedback.statusCount]))"
                }
            }
            return said
        }.check()
    }

    @Test func `what nothing arrived at takes no memory, and what nobody could report is refused`() throws {
        var writer = SnapshotWriter()
        TransportWideRecorder().write(to: &writer)
        // The version, no arrivals, four numbers of which none has come, no news, no time, feedback and duplicates.
        #expect(writer.bytes == [1] + [UInt8](repeating: 0, count: 2 + 3 * 8 + 1 + 1 + 1 + 8))
        var bytes = writer.bytes
        bytes[27] = 1
        #expect(throws: WireError.malformed) {
            var reader = SnapshotReader(bytes)
            _ = try TransportWideRecorder(restoring: &reader)
        }
        bytes = writer.bytes
        bytes[0] = 2
        #expect(throws: WireError.unsupportedVersion) {
            var reader = SnapshotReader(bytes)
            _ = try TransportWideRecorder(restoring: &reader)
        }
    }
}
