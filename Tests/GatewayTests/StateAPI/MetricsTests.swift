import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct MetricsTests {
    private func page(_ shards: [ShardCounters], _ counters: GatewayCounters = GatewayCounters()) throws -> String {
        MetricsExposition(
            counters: counters, registry: try RoomRegistry(media: .recording { _, _ in true }), media: { shards }
        ).text()
    }

    @Test func `every family is described once, before its samples`() throws {
        let shards = [TestServer.sampleCounters, TestServer.sampleCounters]
        var described: Set<String> = []
        var current = ""
        for line in try page(shards).split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                current = String(words[2])
                #expect(described.insert(current).inserted, "\(current) twice")
                #expect(current.hasPrefix("roundhouse_") || current.hasPrefix("process_"))
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == current)
                #expect((words[3] == "counter") == current.hasSuffix("_total"), "\(current)")
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let endings = ["", "_bucket", "_sum", "_count"]
                #expect(endings.contains { name == current + $0 }, "\(line)")
                #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
            }
        }
        #expect(described.count > 15)
    }

    @Test func `a histogram's buckets are cumulative, end at infinity, and add up over shards`() throws {
        var (first, second) = (TestServer.sampleCounters, TestServer.sampleCounters)
        first.quality = [
            QualityHistogram(measure: .loss, kind: .audio, counts: [5, 0, 1, 0, 0, 0, 0, 0, 2], sum: 1_500_000)
        ]
        second.quality = [
            QualityHistogram(measure: .loss, kind: .audio, counts: [1, 1, 0, 0, 0, 0, 0, 0, 0], sum: 500_000)
        ]
        let counters = GatewayCounters()
        for time in [0.0005, 0.02, 60, .nan] { counters.requestTimes.observe(time) }
        let text = try page([first, second], counters)
        for line in [
            #"roundhouse_media_loss_ratio_bucket{kind="audio",le="0.0"} 6"#,
            #"roundhouse_media_loss_ratio_bucket{kind="audio",le="0.005"} 7"#,
            #"roundhouse_media_loss_ratio_bucket{kind="audio",le="0.5"} 8"#,
            #"roundhouse_media_loss_ratio_bucket{kind="audio",le="+Inf"} 10"#,
            #"roundhouse_media_loss_ratio_sum{kind="audio"} 2.0"#,
            #"roundhouse_media_loss_ratio_count{kind="audio"} 10"#,
            #"roundhouse_media_loss_ratio_count{kind="video"} 0"#,
            #"roundhouse_gateway_http_request_seconds_bucket{le="0.001"} 1"#,
            #"roundhouse_gateway_http_request_seconds_bucket{le="5.0"} 2"#,
            #"roundhouse_gateway_http_request_seconds_count 3"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `shards, drops and CPU time are distinguished by labels`() throws {
        var second = TestServer.sampleCounters
        second.shard = 1
        second.values[0].value = 99
        let text = try page([TestServer.sampleCounters, second])
        #expect(text.contains("roundhouse_media_packets_received_total{shard=\"0\"} 12\n"))
        #expect(text.contains("roundhouse_media_packets_received_total{shard=\"1\"} 99\n"))
        #expect(text.contains("roundhouse_media_dropped_packets_total{shard=\"0\",reason=\"replayed\"} 5\n"))
        #expect(text.contains("roundhouse_media_cpu_seconds_total{shard=\"1\"} 1.5\n"))
    }

    @Test func `requests are counted by method and outcome`() throws {
        let counters = GatewayCounters()
        counters.requested(method: "join", outcome: "ok")
        counters.requested(method: "join", outcome: "ok")
        counters.requested(method: "join", outcome: "peer-already-joined")
        counters.messageRejected(.notJSON)
        let text = try page([], counters)
        #expect(text.contains("roundhouse_gateway_requests_total{method=\"join\",outcome=\"ok\"} 2\n"))
        #expect(text.contains("roundhouse_gateway_requests_total{method=\"join\",outcome=\"peer-already-joined\"} 1\n"))
        #expect(text.contains("roundhouse_gateway_rejected_messages_total{reason=\"not_json\"} 1\n"))
    }

    @Test func `label values are escaped`() {
        var page = MetricsPage()
        page.family("roundhouse_test", .gauge, "Test.")
        page.sample(["a": "q\"b\\c\nd"], 1)
        #expect(page.text.hasSuffix("roundhouse_test{a=\"q\\\"b\\\\c\\nd\"} 1\n"))
    }

    @Test func `close codes that clients choose are one label`() {
        let counters = GatewayCounters()
        for code in UInt16(3000)...4999 { counters.webSocketClosed(WebSocketCloseCode(rawValue: code)) }
        #expect(counters.snapshot().closes == ["4000": 1, "other": 1999])
    }
}
