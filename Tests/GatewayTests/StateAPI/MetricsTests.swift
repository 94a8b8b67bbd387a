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
                #expect(line.prefix { $0 != "{" && $0 != " " } == current)
                #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
            }
        }
        #expect(described.count > 15)
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
