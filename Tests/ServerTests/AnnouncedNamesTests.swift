import Logging
import RoundhouseMedia
import Synchronization
import Testing

@testable import Server

@Suite struct AnnouncedNamesTests {
    /// A name server, and what was announced.
    private final class Names: Sendable {
        private let addresses = Mutex<[String: [String]]>([:])
        private let log = Mutex<[[String]]>([])

        var announced: [[String]] { log.withLock { $0 } }

        func set(_ name: String, _ found: [String]?) { addresses.withLock { $0[name] = found } }

        func watch(_ given: String...) throws -> AnnouncedNames {
            AnnouncedNames(
                try given.map { try #require(AnnouncedAddress($0)) },
                Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                resolve: { [self] name in
                    addresses.withLock { $0[name].map { .success($0) } ?? .failure(.init(text: "unknown")) }
                },
                announce: { [self] addresses in log.withLock { $0.append(addresses.map(\.text)) } })
        }
    }

    @Test func `a name's addresses are announced, and others when they change`() throws {
        let names = Names()
        let watch = try names.watch("media.example", "198.51.100.7")
        names.set("media.example", ["203.0.113.1", "2001:db8::1"])
        watch.look()
        watch.look()
        #expect(names.announced == [["203.0.113.1", "2001:db8::1", "198.51.100.7"]])
        names.set("media.example", ["203.0.113.2"])
        watch.look()
        #expect(names.announced.last == ["203.0.113.2", "198.51.100.7"])
    }

    @Test func `a name that is not found keeps what it had, or stays a name`() throws {
        let names = Names()
        let watch = try names.watch("a.example", "b.example")
        names.set("a.example", ["203.0.113.1"])
        watch.look()
        names.set("a.example", nil)
        watch.look()
        names.set("a.example", [])
        watch.look()
        #expect(names.announced == [["203.0.113.1", "b.example"]])
        names.set("b.example", ["203.0.113.1", "fe80::1%eth0"])
        watch.look()
        #expect(names.announced.last == ["203.0.113.1"])
    }

    @Test func `of a name with a crowd of addresses eight are announced`() throws {
        let names = Names()
        let watch = try names.watch("crowd.example")
        names.set("crowd.example", (1...200).map { "203.0.113.\($0)" })
        watch.look()
        #expect(names.announced.last == (1...8).map { "203.0.113.\($0)" })
    }

    @Test func `the system's resolver knows this machine`() throws {
        let addresses = try AnnouncedNames.addresses(of: "localhost").get()
        #expect(addresses.contains("127.0.0.1") || addresses.contains("::1"))
        #expect(throws: AnnouncedNames.Problem.self) { try AnnouncedNames.addresses(of: "media.invalid").get() }
    }
}
