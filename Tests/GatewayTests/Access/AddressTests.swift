import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

@testable import RoundhouseGateway

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("::1", "0:0:0:0:0:0:0:1"),
        ("::", "0:0:0:0:0:0:0:0"),
        ("2001:DB8::8:800:200C:417A", "2001:db8:0:0:8:800:200c:417a"), ("[fe80::1]", "fe80:0:0:0:0:0:0:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1::", "1:0:0:0:0:0:0:0"),
        ("64:ff9b::192.0.2.33", "64:ff9b:0:0:0:0:c000:221"),
    ])
    func `an address is read in all its forms`(text: String, canonical: String) throws {
        #expect(try #require(ClientAddress(parsing: text)).description == canonical)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.0004", "1.2.3.-4", "a.b.c.d", ":", ":::", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3", "12345::", "g::", "::1.2.3", "1.2.3.4:80", "[::1]:80", "::1%eth0", "1:2:3:4:5:6:7:8::", "host",
        "١.٢.٣.٤",
    ])
    func `what is no address is none`(text: String) { #expect(ClientAddress(parsing: text) == nil) }

    @Test func `a range holds what begins with its bits`() throws {
        func holds(_ range: String, _ address: String) throws -> Bool {
            try #require(AddressRange(range)).contains(try #require(ClientAddress(parsing: address)))
        }
        #expect(try holds("192.0.2.0/24", "192.0.2.255"))
        #expect(try !holds("192.0.2.0/24", "192.0.3.0"))
        #expect(try holds("192.0.2.7", "192.0.2.7"))
        #expect(try !holds("192.0.2.7", "192.0.2.6"))
        #expect(try holds("0.0.0.0/0", "8.8.8.8"))
        #expect(try !holds("0.0.0.0/0", "2001:db8::1"))
        #expect(try holds("::/0", "2001:db8::1"))
        #expect(try holds("2001:db8::/33", "2001:db8:7fff::1"))
        #expect(try !holds("2001:db8::/33", "2001:db8:8000::1"))
        #expect(try holds("2001:db8::5/127", "2001:db8::4"))
        for text in ["1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/-1", "/8", "x/8", "1.2.3.4/8/8"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func `loopback is all of 127 and one of IPv6`() throws {
        for (text, isLoopback) in [
            ("127.3.2.1", true), ("::1", true), ("128.0.0.1", false), ("::2", false), ("::ffff:127.0.0.1", true),
        ] {
            #expect(try #require(ClientAddress(parsing: text)).isLoopback == isLoopback)
        }
        #expect(ClientAddress(try SocketAddress(ipAddress: "127.0.0.1", port: 1))?.isLoopback == true)
        #expect(ClientAddress(try SocketAddress(unixDomainSocketPath: "/x")) == nil)
    }

    // MARK: Counting

    @Test func `a bucket gives its burst, then its rate`() {
        let rate = RateLimit(perSecond: 2)
        var now = NIODeadline.uptimeNanoseconds(1)
        var bucket = TokenBucket(rate: rate, now: now)
        func take(at time: NIODeadline? = nil) -> Int? { bucket.take(rate, now: time ?? now) }
        for _ in 0..<20 { #expect(take() == nil) }
        #expect(take() == 1)
        now = now + .milliseconds(499)
        #expect(take() != nil)
        now = now + .milliseconds(2)
        #expect(take() == nil)
        #expect(take() != nil)
        // A clock that stands or goes back gives nothing.
        #expect(take(at: .uptimeNanoseconds(0)) != nil)
        now = now + .hours(1)
        for _ in 0..<20 { #expect(take() == nil) }
        #expect(take() != nil)
    }

    @Test func `addresses are counted each for itself, and forgotten when nothing is left of them`() throws {
        let a = try #require(ClientAddress(parsing: "192.0.2.1"))
        let b = try #require(ClientAddress(parsing: "192.0.2.2"))
        var limiter = AddressLimiter(rates: [.requests: RateLimit(perSecond: 1)])
        func open(_ address: ClientAddress) -> Bool { limiter.hold(.connection, address, limit: 2) }
        #expect(open(a))
        #expect(open(a))
        #expect(!open(a))
        #expect(open(b))
        limiter.release(.connection, a)
        #expect(open(a))
        for _ in 0..<2 { limiter.release(.connection, a) }
        limiter.release(.connection, b)
        limiter.release(.connection, b)
        #expect(limiter.count == 0)

        var now = NIODeadline.uptimeNanoseconds(1)
        var refused = 0
        for number in 0..<20_000 {
            let address = ClientAddress(parsing: "10.0.\(number >> 8).\(number & 255)") ?? a
            if limiter.take(.requests, address, now: now) != nil { refused += 1 }
            now = now + .milliseconds(10)
        }
        #expect(refused == 0)
        #expect(limiter.count < 10_000)
    }

    @Test func `pages of named origins and our own are taken, and no others`() {
        func request(_ origin: String?, host: String = "h:1") -> HTTPRequest {
            HTTPRequest(
                method: .get, scheme: "http", authority: host, path: "/",
                headerFields: origin.map { [.origin: $0] } ?? [:])
        }
        let policy = OriginPolicy(["https://Example.com"])
        for (origin, isTaken) in [
            (nil, true), ("https://example.com", true), ("HTTPS://EXAMPLE.COM", true), ("http://h:1", true),
            ("http://h", false),
            ("http://example.com", false), ("https://example.com.evil", false), ("null", false), ("", false),
        ] {
            #expect(policy.allows(request(origin)) == isTaken, "\(origin ?? "none")")
            #expect(OriginPolicy(["any"]).allows(request(origin)) && OriginPolicy(["*"]).allows(request(origin)))
            let isOwn = origin == nil || origin == "http://h:1"
            #expect(OriginPolicy().allows(request(origin)) == isOwn, "\(origin ?? "none")")
        }
        #expect(policy.shared(with: request("https://example.com")) == "https://example.com")
        #expect(policy.shared(with: request("https://evil")) == nil)
        #expect(OriginPolicy().shared(with: request("https://evil")) == nil)
        #expect(OriginPolicy(["any"]).shared(with: request("https://evil")) == "*")
    }

    // MARK: Behind proxies

    /// How many are taken of 40 requests in a row, where 10 are taken at once and then one a second.
    private func taken(
        _ access: AccessControl, from remote: String, forwardedFor field: String? = nil
    ) throws -> Int {
        var fields = HTTPFields()
        fields[.forwardedFor] = field
        let address = try #require(ClientAddress(parsing: remote))
        let origin = access.accountant.origin(of: address, fields)
        return (0..<40).count { _ in access.accountant.requestReceived(from: origin) == nil }
    }

    private func access(
        trusting proxies: [String] = [], unlimited: [String]? = nil, log: MessageLog = MessageLog()
    ) -> AccessControl {
        var limits = GatewayLimits()
        limits.requestsPerSecond = 1
        var configuration = AccessConfiguration()
        configuration.trustedProxies = proxies.compactMap(AddressRange.init)
        if let unlimited { configuration.unlimitedAddresses = unlimited.compactMap(AddressRange.init) }
        let access = AccessControl(
            counters: GatewayCounters(), logger: Logger(label: "test") { _ in log.handler })
        access.apply(configuration, limits: limits)
        return access
    }

    @Test func `clients behind a trusted proxy are limited each for itself, and the machine's own programs are not`()
        async throws
    {
        let log = MessageLog()
        let access = access(trusting: ["127.0.0.1"], log: log)
        #expect(try (10...15).contains(taken(access, from: "127.0.0.1", forwardedFor: "203.0.113.9")))
        #expect(try (10...15).contains(taken(access, from: "127.0.0.1", forwardedFor: "203.0.113.10")))
        // Also one that comes to the proxy from this machine.
        #expect(try (10...15).contains(taken(access, from: "127.0.0.1", forwardedFor: "127.0.0.2")))
        #expect(try taken(access, from: "127.0.0.1") == 40)
        #expect(log.messages.isEmpty)
    }

    @Test func `clients behind a proxy that nobody named are limited as one, and the log says so once`() async throws {
        let log = MessageLog()
        let access = access(log: log)
        #expect(try (10...15).contains(taken(access, from: "127.0.0.1", forwardedFor: "203.0.113.9")))
        #expect(try taken(access, from: "127.0.0.1", forwardedFor: "203.0.113.10") < 5)
        #expect(try taken(access, from: "127.0.0.1") == 40)
        #expect(log.messages.count == 1)
        #expect(log.messages[0].contains("--trusted-proxy 127.0.0.1"))
    }

    @Test func `a trusted proxy that names no clients is limited, and the log says so once`() async throws {
        let log = MessageLog()
        let access = access(trusting: ["10.0.0.2"], log: log)
        #expect(try (10...15).contains(taken(access, from: "10.0.0.2")))
        #expect(log.messages.count == 1 && log.messages[0].contains("X-Forwarded-For"))
        let proxy = try #require(ClientAddress(parsing: "10.0.0.2"))
        let leases = (0..<2000).compactMap { _ in access.accountant.connectionOpened(from: proxy) }
        #expect(leases.count == 2000)
    }

    @Test func `unlimited clients stay so behind a trusted proxy, and a stranger's field says nothing`() async throws {
        let log = MessageLog()
        let access = access(trusting: ["10.0.0.2"], unlimited: ["192.0.2.0/24"], log: log)
        #expect(try taken(access, from: "10.0.0.2", forwardedFor: "192.0.2.7") == 40)
        #expect(try (10...15).contains(taken(access, from: "203.0.113.9", forwardedFor: "192.0.2.7")))
        #expect(log.messages.isEmpty)
    }
}

/// Keeps the messages of a logger.
final class MessageLog: Sendable {
    private let kept = Mutex<[String]>([])

    var messages: [String] { kept.withLock { $0 } }
    var handler: any LogHandler { Handler(log: self) }

    private struct Handler: LogHandler {
        let log: MessageLog
        var logLevel = Logger.Level.trace
        var metadata = Logger.Metadata()

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.kept.withLock { $0.append("\(event.message)") } }
    }
}
