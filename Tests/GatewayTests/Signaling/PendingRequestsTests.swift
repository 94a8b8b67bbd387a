import NIOCore
import Testing

@testable import RoundhouseGateway

@Suite struct PendingRequestsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000)

    @Test func `an answer reaches the one that waits for it, once`() throws {
        var pending = PendingRequests<String>(timeout: .seconds(15), limit: 10, firstID: .max)
        let ids = (pending.add("a", now: start), pending.add("b", now: start))
        #expect(ids == (0, 1))
        let b = try #require(ids.1)
        #expect(pending.answerReceived(b) == "b")
        #expect(pending.answerReceived(b) == nil)
        #expect(pending.answerReceived(77) == nil)
        #expect(pending.count == 1)
    }

    @Test func `only those whose time has come run out`() throws {
        var pending = PendingRequests<String>(timeout: .seconds(15), limit: 10, firstID: 0)
        let id = pending.add("a", now: start)
        let a = try #require(id)
        _ = pending.add("b", now: start + .seconds(1))
        _ = pending.add("c", now: start + .seconds(2))
        #expect(pending.nextDeadline == start + .seconds(15))
        #expect(pending.answerReceived(a) == "a")
        #expect(pending.nextDeadline == start + .seconds(16))
        #expect(pending.expire(now: start + .seconds(15)) == [])
        #expect(pending.expire(now: start + .seconds(16)) == ["b"])
        #expect(pending.expire(now: start + .seconds(60)) == ["c"])
        #expect(pending.nextDeadline == nil)
    }

    @Test func `no more than the limit may wait`() {
        var pending = PendingRequests<Int>(timeout: .seconds(1), limit: 2, firstID: 5)
        #expect(pending.add(1, now: start) != nil)
        #expect(pending.add(2, now: start) != nil)
        #expect(pending.add(3, now: start) == nil)
        #expect(pending.removeAll().sorted() == [1, 2])
        #expect(pending.add(3, now: start) != nil)
    }
}
