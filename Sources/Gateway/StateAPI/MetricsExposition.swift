import RoundhouseMedia
import RoundhouseRooms

/// The counters, for `GET /metrics` as Prometheus' text exposition format, version 0.0.4, and for backends of swift-metrics.
struct MetricsExposition: Sendable {
    let counters: GatewayCounters
    let registry: RoomRegistry
    let media: @Sendable () -> [ShardCounters]
    var facts = ServerFacts()
    /// Whole days for which the certificate is still good; `nil` without TLS.
    var certificateDays: @Sendable () -> Int? = { nil }
    var webhooks: Webhooks?
    var turn: TURNService?

    func response() -> OutgoingResponse {
        OutgoingResponse(contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text().utf8))
    }

    func text() -> String {
        var page = MetricsPage()
        writeServer(&page)
        writeProcess(&page, .current())
        return page.text
    }

    /// All but the process' own, which belong to the program that the server may be a part of.
    func families() -> [MetricFamily] {
        var page = MetricsPage()
        writeServer(&page)
        return page.families
    }

    private func writeServer(_ page: inout MetricsPage) {
        writeMedia(&page)
        writeRooms(&page)
        writeGateway(&page)
        writeTURN(&page)
        writeWebhooks(&page, webhooks?.figures ?? [])
        page.family("roundhouse_build_info", .gauge, "1; the program's version is in the label.")
        page.sample(["version": facts.version], 1)
        if let days = certificateDays() {
            page.gauge(
                "roundhouse_gateway_tls_certificate_left_seconds",
                "Seconds for which the HTTPS certificate is still good, in whole days.",
                days * 86_400)
        }
    }

    private func writeTURN(_ page: inout MetricsPage) {
        page.gauge("roundhouse_turn_open_allocations", "Allocations of TURN that are open.", turn?.allocations ?? 0)
        let values = turn?.figures ?? TURNFigure.allCases.map { _ in 0 }
        for (figure, value) in zip(TURNFigure.allCases, values) {
            page.family("roundhouse_turn_\(figure.label)_total", .counter, figure.help)
            page.sample([:], value)
        }
    }

    /// Under the names that Prometheus' own clients give, which dashboards know.
    private func writeProcess(_ page: inout MetricsPage, _ usage: ProcessUsage) {
        page.family("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")
        page.sample([:], Double(facts.startedAt) / 1000)
        page.family("process_cpu_seconds_total", .counter, "CPU time of all threads, in user and system mode.")
        page.sample([:], usage.cpuSeconds)
        if let bytes = usage.residentBytes {
            page.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", bytes)
        }
        if let count = usage.openDescriptors {
            page.gauge("process_open_fds", "Open file descriptors.", count)
        }
        if let count = usage.mostDescriptors {
            page.gauge("process_max_fds", "The most file descriptors that may be open.", count)
        }
    }

    private func writeMedia(_ page: inout MetricsPage) {
        let shards = media()
        // Every shard has the same counters in the same order.
        for (index, entry) in (shards.first?.values ?? []).enumerated() {
            page.family("roundhouse_media_\(entry.name)_total", .counter, Self.help[entry.name] ?? entry.name)
            for shard in shards where index < shard.values.count {
                page.sample(["shard": "\(shard.shard)"], shard.values[index].value)
            }
        }
        page.family("roundhouse_media_dropped_packets_total", .counter, "Packets the media plane dropped, by reason.")
        for shard in shards {
            for drop in shard.drops { page.sample(["shard": "\(shard.shard)", "reason": drop.reason], drop.count) }
        }
        page.family("roundhouse_media_handshake_failures_total", .counter, "DTLS handshakes that failed, by reason.")
        for shard in shards {
            for failure in shard.handshakeFailures {
                page.sample(["shard": "\(shard.shard)", "reason": failure.reason], failure.count)
            }
        }
        writeQuality(&page, shards)
        page.family("roundhouse_media_cpu_seconds_total", .counter, "CPU time of the media threads.")
        for shard in shards { page.sample(["shard": "\(shard.shard)"], shard.cpuSeconds) }
    }

    private static let help = Dictionary(
        ShardCounter.allCases.map { ($0.label, $0.help) }, uniquingKeysWith: { first, _ in first })

    /// Of all shards together: who looks for a bad network asks which kind of media suffers, and not on which thread.
    private func writeQuality(_ page: inout MetricsPage, _ shards: [ShardCounters]) {
        for measure in QualityMeasure.allCases {
            page.family("roundhouse_media_\(measure.label)", .histogram, Self.help(of: measure))
            for kind in [MediaKind.audio, .video] {
                var counts = [UInt64](repeating: 0, count: measure.bounds.count + 1)
                var sum: UInt64 = 0
                for histogram in shards.flatMap(\.quality) where histogram.measure == measure && histogram.kind == kind
                {
                    sum &+= histogram.sum
                    for (index, count) in histogram.counts.enumerated() where index < counts.count {
                        counts[index] &+= count
                    }
                }
                page.histogram(
                    [("kind", kind.rawValue)], bounds: measure.bounds.map { Double($0) / 1e6 }, counts: counts,
                    sum: Double(sum) / 1e6)
            }
        }
    }

    private static func help(of measure: QualityMeasure) -> String {
        switch measure {
        case .roundTrip: "Round trips between the server and receivers, at each of their reports."
        case .loss: "Share of packets that receivers missed before any were sent again, at each of their reports."
        case .jitter: "Jitter of what receivers get, at each of their reports."
        case .uplinkLoss: "Share of senders' packets that never arrived at the server, at each of its reports."
        case .uplinkJitter: "Jitter of what arrives at the server, at each of its reports."
        }
    }

    private func writeRooms(_ page: inout MetricsPage) {
        let (rooms, counts) = registry.totals()
        page.gauge("roundhouse_rooms_open_rooms", "Rooms with a peer.", rooms)
        page.gauge("roundhouse_rooms_open_peers", "Connected peers, joined or not.", counts.peers)
        page.gauge("roundhouse_rooms_open_transports", "Open transports.", counts.transports)
        page.gauge("roundhouse_rooms_open_producers", "Open producers.", counts.producers)
        page.gauge("roundhouse_rooms_open_consumers", "Open consumers.", counts.consumers)
        page.family(
            "roundhouse_rooms_join_seconds", .histogram,
            "From a peer's connection until its first transport was connected, so that media could flow.")
        write(registry.joinTimes, to: &page)
        page.counter("roundhouse_rooms_events_total", "Events of rooms.", registry.events.count)
    }

    private func write(_ histogram: Histogram, to page: inout MetricsPage) {
        let figures = histogram.figures
        page.histogram(bounds: histogram.bounds, counts: figures.counts, sum: figures.sum)
    }

    private func writeWebhooks(_ page: inout MetricsPage, _ receivers: [WebhookFigures]) {
        func sum<Number: AdditiveArithmetic>(_ figure: (WebhookFigures) -> Number) -> Number {
            receivers.reduce(Number.zero) { $0 + figure($1) }
        }
        page.gauge(
            "roundhouse_gateway_webhook_waiting_events", "Events that wait for receivers of webhooks.", sum(\.waiting))
        page.gauge(
            "roundhouse_gateway_webhook_failing_receivers", "Receivers of webhooks whose last request failed.",
            receivers.count(where: \.isFailing))
        page.family(
            "roundhouse_gateway_webhook_requests_total", .counter,
            "Requests to receivers of webhooks: taken, failed (and tried again), or refused for good.")
        for (outcome, count) in [("taken", sum(\.taken)), ("failed", sum(\.failed)), ("refused", sum(\.refused))] {
            page.sample(["outcome": outcome], count)
        }
        page.family(
            "roundhouse_gateway_webhook_lost_events_total", .counter,
            "Events that a receiver of webhooks was never sent, or refused, by reason.")
        for loss in WebhookQueue.Loss.allCases {
            page.sample(["reason": loss.rawValue], sum { $0.losses[loss] ?? 0 })
        }
    }

    private func writeGateway(_ page: inout MetricsPage) {
        let snapshot = counters.snapshot()
        page.gauge("roundhouse_gateway_open_connections", "Open TCP connections.", snapshot.openConnections)
        page.gauge("roundhouse_gateway_open_sessions", "Open signaling sessions.", snapshot.openSessions)
        page.counter(
            "roundhouse_gateway_accepted_connections_total", "TCP connections accepted.", snapshot.acceptedConnections)
        page.counter(
            "roundhouse_gateway_accept_failures_total",
            "Times accepting failed for want of descriptors or memory; accepting then pauses.", snapshot.acceptFailures)
        page.family(
            "roundhouse_gateway_refused_connections_total", .counter,
            "Connections refused, or cut before they were a session, by reason.")
        for reason in RefusalReason.allCases {
            page.sample(["reason": reason.rawValue], snapshot.refusedConnections[reason.rawValue] ?? 0)
        }
        page.family(
            "roundhouse_gateway_limited_total", .counter,
            "Times a client met a limit of the gateway or of a room, by limit.")
        for limit in GatewayLimit.allCases { page.sample(["limit": limit.rawValue], snapshot.limited[limit] ?? 0) }
        for limit in RoomLimit.allCases { page.sample(["limit": limit.rawValue], registry.limits[limit]) }
        page.family("roundhouse_gateway_refused_tokens_total", .counter, "Access tokens refused, by reason.")
        for problem in TokenProblem.allCases {
            page.sample(["reason": problem.rawValue], snapshot.refusedTokens[problem] ?? 0)
        }
        page.family(
            "roundhouse_gateway_http_connections_total", .counter, "Connections by the version of HTTP they speak.")
        for version in HTTPVersionName.allCases {
            page.sample(["version": version.rawValue], snapshot.httpConnections[version] ?? 0)
        }
        page.counter(
            "roundhouse_gateway_tls_connections_total", "Connections whose TLS handshake was completed.",
            snapshot.tlsConnections)
        page.family(
            "roundhouse_gateway_websockets_total", .counter, "Signaling WebSockets by the version of HTTP they ride on."
        )
        for version in HTTPVersionName.allCases {
            page.sample(["version": version.rawValue], snapshot.webSockets[version] ?? 0)
        }
        page.family(
            "roundhouse_gateway_http2_violations_total", .counter, "HTTP/2 connections ended for what the client did.")
        for kind in HTTP2Violation.Kind.allCases {
            page.sample(["reason": kind.rawValue], snapshot.http2Violations[kind.rawValue] ?? 0)
        }
        page.family("roundhouse_gateway_http_responses_total", .counter, "HTTP responses by status.")
        for (status, count) in snapshot.responses.sorted(by: { $0.key < $1.key }) {
            page.sample(["status": "\(status)"], count)
        }
        page.family(
            "roundhouse_gateway_http_request_seconds", .histogram,
            "From a whole HTTP request to its answer; of a stream, to its beginning.")
        write(counters.requestTimes, to: &page)
        page.family(
            "roundhouse_gateway_signaling_request_seconds", .histogram,
            "From a signaling request over a WebSocket or a plain session to its answer.")
        write(counters.signalingTimes, to: &page)
        page.family("roundhouse_gateway_requests_total", .counter, "Signaling requests by method and outcome.")
        let requests = snapshot.requests.sorted {
            ($0.key.method, $0.key.outcome) < ($1.key.method, $1.key.outcome)
        }
        for (key, count) in requests { page.sample(["method": key.method, "outcome": key.outcome], count) }
        page.family(
            "roundhouse_gateway_rejected_messages_total", .counter, "Signaling messages not acted upon, by reason.")
        for reason in RejectionReason.allCases {
            page.sample(["reason": reason.rawValue], snapshot.rejectedMessages[reason.rawValue] ?? 0)
        }
        page.family("roundhouse_gateway_websocket_closes_total", .counter, "WebSockets closed, by close code.")
        for (code, count) in snapshot.closes.sorted(by: { $0.key < $1.key }) {
            page.sample(["code": code], count)
        }
        page.gauge("roundhouse_gateway_open_event_streams", "Open event streams.", snapshot.openEventStreams)
        page.family("roundhouse_gateway_event_streams_ended_total", .counter, "Event streams that ended, by how.")
        for ending in EventStream.Ending.allCases {
            page.sample(["ending": ending.rawValue], snapshot.endedEventStreams[ending] ?? 0)
        }
        page.counter(
            "roundhouse_gateway_request_timeouts_total",
            "Requests of the server that a client did not answer in time.", snapshot.outgoingRequestTimeouts)
        page.family(
            "roundhouse_gateway_resumptions_total", .counter, "Clients whose connection broke, by what became of them.")
        for outcome in ResumptionOutcome.allCases {
            page.sample(["outcome": outcome.rawValue], snapshot.resumptions[outcome] ?? 0)
        }
    }
}
