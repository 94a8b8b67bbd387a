import CoreMetrics
import RoundhouseRooms
import Synchronization
import Testing

@testable import RoundhouseGateway

@Suite(.timeLimit(.minutes(15))) struct MetricsRelayTests {
    private static func page(_ count: UInt64, _ seconds: Double, _ open: Int) -> [MetricFamily] {
        var page = MetricsPage()
        page.counter("packets_total", "Packets.", count)
        page.family("cpu_seconds_total", .counter, "CPU.")
        page.sample(["shard": "1"], seconds)
        page.gauge("open_rooms", "Rooms.", open)
        page.family("join_seconds", .histogram, "Joining.")
        page.histogram([("kind", "audio")], bounds: [0.5], counts: [count, 1], sum: seconds)
        return page.families
    }

    @Test func `a backend gets counters by what is new of them, and gauges as they are`() {
        let backend = RecordingMetrics()
        var relay = MetricsRelay(backend)
        relay.report(Self.page(5, 0.5, 3))
        relay.report(Self.page(5, 0.5, 2))
        relay.report(Self.page(9, 2, 0))
        #expect(
            backend.values == [
                "packets_total": 9, "cpu_seconds_total{shard=1}": 2, "open_rooms": 0,
                "join_seconds_bucket{kind=audio,le=0.5}": 9, "join_seconds_bucket{kind=audio,le=+Inf}": 10,
                "join_seconds_sum{kind=audio}": 2, "join_seconds_count{kind=audio}": 10,
            ])
        // A counter that starts again is not taken back: backends count up only.
        relay.report(Self.page(1, 0, 0))
        #expect(backend.values["packets_total"] == 9)
        #expect(backend.state.withLock { $0.fallen.isEmpty })
        relay.end()
        #expect(backend.state.withLock { Set($0.values.keys) == $0.destroyed })
    }

    @Test func `a server in a program with a backend gives it all that the metrics page has`() async throws {
        let backend = RecordingMetrics()
        try await withMetricsFactory(backend) {
            try await TestServer.with { server in
                try await eventually { backend.values["roundhouse_rooms_open_rooms"] == 0 }
                let ann = try await server.join("ann")
                try await eventually { server.rooms.totals().rooms == 1 }
                _ = ann
            }
        }
        let values = backend.values
        #expect(values["roundhouse_media_packets_received_total{shard=0}"] == 12)
        #expect(values["roundhouse_media_dropped_packets_total{shard=0,reason=replayed}"] == 5)
        #expect(values["roundhouse_media_cpu_seconds_total{shard=0}"] == 1.5)
        // What happened after the last look is in the report of the end.
        #expect((values["roundhouse_gateway_accepted_connections_total"] ?? 0) >= 1)
        #expect((values["roundhouse_rooms_events_total"] ?? 0) >= 2)
        #expect(values["roundhouse_build_info{version=unknown}"] == 1)
        #expect(!values.keys.contains { $0.hasPrefix("process_") })
        #expect(backend.state.withLock { $0.fallen.isEmpty && $0.destroyed.isSuperset(of: $0.values.keys) })
    }
}
