import Testing

@testable import RoundhouseGateway

@Suite struct WebhookQueueTests {
    private static func queue(_ count: Int, mostBytes: Int = 1 << 20) -> WebhookQueue {
        var queue = WebhookQueue(mostBytes: mostBytes)
        for number in 1...count { queue.append(id: "a-\(number)", json: Array("{\"n\":\(number)}".utf8)) }
        return queue
    }

    private static func delivery(_ queue: inout WebhookQueue, at now: Int64) throws -> WebhookQueue.Delivery {
        guard case .deliver(let delivery) = queue.next(now: now) else { throw NeverHappened() }
        return delivery
    }

    @Test func `what waits is sent together, in order, under its first event's id`() throws {
        var queue = Self.queue(3)
        let delivery = try Self.delivery(&queue, at: 0)
        #expect(delivery.id == "a-1" && delivery.count == 3)
        #expect(
            String(decoding: delivery.body, as: UTF8.self) == #"{"events":[{"n":1},{"n":2},{"n":3}],"id":"a-1"}"#)
        queue.append(id: "a-4", json: Array("{}".utf8))
        queue.ended(.taken, now: 10)
        #expect(try Self.delivery(&queue, at: 10).id == "a-4")
        queue.ended(.taken, now: 20)
        #expect(queue.next(now: 20) == .nothing && queue.count == 0)
    }

    @Test func `a failed request is tried again as it was, after growing waits`() throws {
        var queue = Self.queue(1)
        var now: Int64 = 0
        let first = try Self.delivery(&queue, at: now)
        var waits: [Int64] = []
        for _ in 0..<8 {
            queue.ended(.failed, now: now)
            queue.append(id: "later", json: [])
            guard case .wait(let milliseconds) = queue.next(now: now) else { throw NeverHappened() }
            waits.append(milliseconds)
            now += milliseconds
            #expect(try Self.delivery(&queue, at: now) == first)
        }
        #expect(waits == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
        #expect(queue.isFailing && queue.outcomes.failed == 8)
        queue.ended(.taken, now: now)
        #expect(!queue.isFailing && queue.count == 8 && queue.losses.isEmpty)
        #expect(try Self.delivery(&queue, at: now).count == 8)
    }

    @Test func `what a receiver refuses for good holds nothing up`() throws {
        var queue = Self.queue(2)
        _ = try Self.delivery(&queue, at: 0)
        queue.append(id: "a-3", json: [])
        queue.ended(.refused, now: 0)
        #expect(queue.losses == [.refused: 2])
        #expect(try Self.delivery(&queue, at: 0).id == "a-3")
    }

    @Test func `statuses say whether another try is of use`() {
        for status in [200, 202, 204, 299] { #expect(WebhookQueue.Outcome(status: status) == .taken) }
        for status in [400, 410, 413, 422] { #expect(WebhookQueue.Outcome(status: status) == .refused) }
        for status in [nil, 199, 301, 307, 401, 403, 404, 408, 429, 500, 503] {
            #expect(WebhookQueue.Outcome(status: status) == .failed, "\(status ?? 0)")
        }
    }

    @Test func `events beyond the memory are lost, the oldest that are not being sent first, and counted`() throws {
        var queue = WebhookQueue(mostBytes: 20_000)
        queue.append(id: "sent", json: Array(repeating: 0x20, count: 100))
        let sent = try Self.delivery(&queue, at: 0)
        for number in 0..<1000 { queue.append(id: "\(number)", json: Array(repeating: 0x20, count: 100)) }
        let lost = try #require(queue.losses[.overflow])
        #expect(queue.count + Int(lost) == 1001 && queue.count <= 20_000 / 196)
        queue.ended(.failed, now: 0)
        #expect(try Self.delivery(&queue, at: 1000) == sent)
        queue.ended(.taken, now: 1000)
        // What is left are the newest, in order.
        #expect(try Self.delivery(&queue, at: 1000).id == "\(lost)")
        queue.end()
        #expect(queue.count == 0 && queue.losses[.shutdown] == 1000 - lost)
    }

    @Test func `a request has a hundred events and a quarter of a mebibyte at most, and one event whatever its size`()
        throws
    {
        var queue = Self.queue(250)
        var counts: [Int] = []
        while case .deliver(let delivery) = queue.next(now: 0) {
            counts.append(delivery.count)
            queue.ended(.taken, now: 0)
        }
        #expect(counts == [100, 100, 50])
        for _ in 0..<3 { queue.append(id: "x", json: Array(repeating: 0x20, count: 300_000)) }
        #expect(try Self.delivery(&queue, at: 0).count == 1)
    }

    @Test func `a thousand requests leave nothing behind`() throws {
        var queue = WebhookQueue(mostBytes: 1000)
        for number in 0..<5000 {
            queue.append(id: "\(number)", json: Array(repeating: 0x20, count: 400))
            #expect(try Self.delivery(&queue, at: 0).id == "\(number)")
            queue.ended(.taken, now: 0)
        }
        #expect(queue.losses.isEmpty && queue.outcomes.taken == 5000)
    }
}
