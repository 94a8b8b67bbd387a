import Testing

@testable import RoundhouseMedia

@Suite("Names of metrics")
struct MetricNameTests {
    @Test func `an acronym is one word`() {
        #expect(DropReason.unknownSSRC.label == "unknown_ssrc")
        #expect(DropReason.malformedSTUN.label == "malformed_stun")
        #expect(DropReason.malformedRTCP.label == "malformed_rtcp")
        #expect(DropReason.srtpTooManyStreams.label == "srtp_too_many_streams")
        #expect(DropReason.foreignSource.label == "foreign_source")
        #expect(ShardCounter.packetsToOtherShards.label == "packets_to_other_shards")
        let labels = DropReason.allCases.map(\.label)
        #expect(Set(labels).count == labels.count)
    }
}
