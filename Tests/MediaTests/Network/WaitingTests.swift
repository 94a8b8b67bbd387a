import CLinuxNet
import Glibc
import Testing

/// A kernel before 5.11, and some sandboxes, wait in milliseconds only.
@Suite("Waiting for events, by either system call")
struct WaitingTests {
    typealias Wait = @Sendable (CInt, UnsafeMutablePointer<epoll_event>?, CInt, Int64) -> CInt

    static let ways: [(name: String, call: Wait)] = [
        ("nanoseconds", { cln_wait($0, $1, $2, $3) }), ("milliseconds", { cln_wait_milliseconds($0, $1, $2, $3) }),
    ]

    // Safe: the descriptors are this test's own; the event lives through each call that fills it.
    @Test(arguments: ways.map(\.name))
    func `what is ready is returned at once, with its token, however long the wait may be`(name: String) throws {
        let wait = try #require(Self.ways.first { $0.name == name }).call
        let (epoll, wake) = (epoll_create1(CInt(EPOLL_CLOEXEC)), eventfd(1, CInt(EFD_CLOEXEC | EFD_NONBLOCK)))
        defer {
            close(epoll)
            close(wake)
        }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 7))
        try #require(epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0)
        for limit: Int64 in [-1, 0, 1, .max] {
            event = epoll_event()
            #expect(wait(epoll, &event, 1, limit) == 1)
            #expect(event.data.u64 == 7)
        }
    }

    @Test(arguments: ways.map(\.name))
    func `a wait for nothing ends, and never before its time`(name: String) throws {
        let wait = try #require(Self.ways.first { $0.name == name }).call
        let epoll = epoll_create1(CInt(EPOLL_CLOEXEC))
        defer { close(epoll) }
        var event = epoll_event()
        #expect(wait(epoll, &event, 1, 0) == 0)
        for limit: Int64 in [1, 999_999, 1_000_001] {
            let begin = cln_monotonic_nanoseconds()
            #expect(wait(epoll, &event, 1, limit) == 0)
            #expect(cln_monotonic_nanoseconds() - begin >= UInt64(limit))
        }
    }
}
