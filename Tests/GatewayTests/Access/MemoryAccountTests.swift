import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import RoundhouseGateway

/// What the clients of one address have in buffers is bounded in sum.
@Suite struct MemoryAccountTests {
    private static func accountant(_ megabytes: Int, _ counters: GatewayCounters = GatewayCounters()) -> Accountant {
        var limits = GatewayLimits.patient
        limits.memoryPerAddress = megabytes << 20
        return AccessControl(limits: limits, counters: counters, logger: TestServer.silentLogger).accountant
    }

    private static func origin(_ address: String, _ forwarding: Forwarding = .none) -> ClientOrigin {
        ClientOrigin(address: ClientAddress(parsing: address), forwarding: forwarding)
    }

    @Test func `all loans of an address are one sum, and what is given back can be borrowed again`() {
        let counters = GatewayCounters()
        let accountant = Self.accountant(1, counters)
        let first = accountant.memory(of: Self.origin("192.0.2.1")).loan()
        let second = accountant.memory(of: Self.origin("192.0.2.1")).loan()
        #expect(first.take(600_000) && second.take(400_000))
        #expect(!first.take(100_000) && !second.take(100_000))
        #expect(accountant.memory(of: Self.origin("192.0.2.1")).bytes == 1_000_000)
        #expect(counters.snapshot().limited[.memoryPerAddress] == 2)
        // Others have their own.
        #expect(accountant.memory(of: Self.origin("192.0.2.2")).loan().take(1_000_000))
        first.giveBack(600_000)
        #expect(second.take(600_000))
        second.giveBack(1_000_000)
        #expect(accountant.memory(of: Self.origin("192.0.2.1")).bytes == 0)
    }

    @Test func `a loan that nobody has any more is given back, and its account forgotten`() {
        let accountant = Self.accountant(1)
        let account = accountant.memory(of: Self.origin("192.0.2.1"))
        for _ in 0..<100 { #expect(account.loan().take(1_000_000)) }
        #expect(account.bytes == 0)
        for number in 0..<100_000 {
            _ = accountant.memory(of: Self.origin("10.\(number >> 16).\(number >> 8 & 255).1"))
        }
        #expect(accountant.memory(of: Self.origin("192.0.2.1")) === account)
    }

    @Test func `an IPv6 network of 64 bits has one account, and this machine's own programs have no limit`() {
        let accountant = Self.accountant(1)
        let network = accountant.memory(of: Self.origin("2001:db8:1:2::1"))
        #expect(accountant.memory(of: Self.origin("2001:db8:1:2:ffff::7")) === network)
        #expect(accountant.memory(of: Self.origin("2001:db8:1:3::1")) !== network)
        #expect(accountant.memory(of: Self.origin("127.0.0.1")).loan().take(1 << 30))
        #expect(!accountant.memory(of: Self.origin("127.0.0.1", .byUnknownProxy)).loan().take(1 << 30))
    }

    @Test func `what a connection has of its own is not charged, and all beyond it is`() {
        let counters = GatewayCounters()
        let account = Self.accountant(1, counters).memory(of: Self.origin("192.0.2.1"))
        let greedy = account.loan(own: 1000)
        #expect(greedy.take(1000) && account.bytes == 0)
        #expect(greedy.take(1 << 20) && account.bytes == 1 << 20)
        #expect(!greedy.take(1) && account.bytes == 1 << 20)
        // A neighbor who asks for little is not touched.
        let modest = account.loan(own: 1000)
        #expect(modest.take(900) && !modest.take(200) && modest.take(100))
        greedy.giveBack(500)
        #expect(account.bytes == (1 << 20) - 500)
        greedy.giveBack((1 << 20) + 500)
        #expect(account.bytes == 0)
    }

    @Test func `a limit that is exchanged holds for accounts that there are`() {
        let limit = MemoryLimit(1000)
        let account = MemoryAccount(limit: limit) {}
        let loan = account.loan()
        #expect(!loan.take(2000))
        limit.bytes = 3000
        #expect(loan.take(2000))
        limit.bytes = 1000
        #expect(!loan.take(1))
        loan.giveBack(1500)
        #expect(loan.take(100))
    }

    @Test func `many threads that borrow and give back leave nothing and never have more than the limit`() async {
        let account = MemoryAccount(limit: MemoryLimit(100_000)) {}
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let loan = account.loan(own: 500)
                    var taken = 0
                    for round in 0..<20_000 {
                        let bytes = 1 + round * 7919 % 30_000
                        if loan.take(bytes) {
                            taken += 1
                            loan.giveBack(bytes)
                        }
                    }
                    return taken
                }
            }
            for await taken in group { #expect(taken > 1000) }
        }
        #expect(account.bytes == 0)
    }

    // MARK: Buffers

    @Test func `a buffer is charged as it grows and shrinks`() {
        let account = MemoryAccount(limit: MemoryLimit(100)) {}
        var bytes = BorrowedBytes(account.loan())
        #expect(bytes.add(60) && bytes.resize(to: 100) && !bytes.add(1))
        #expect(bytes.count == 100 && account.bytes == 100)
        bytes.remove(30)
        #expect(account.bytes == 70)
        #expect(bytes.resize(to: 0) && account.bytes == 0)
    }

    @Test func `a message is charged until nobody has it`() throws {
        let account = MemoryAccount(limit: MemoryLimit(300)) {}
        let loan = account.loan()
        var message = BorrowedText(String(repeating: "x", count: 100), from: loan)
        #expect(account.bytes == 164)
        #expect(BorrowedText(String(repeating: "x", count: 100), from: loan) == nil)
        #expect(message?.text.utf8.count == 100)
        message = nil
        #expect(account.bytes == 0)
    }

    @Test func `the beginning of a frame is charged until its end has come`() throws {
        let account = MemoryAccount(limit: MemoryLimit(1000)) {}
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(MeteredFrameDecoder(maxFrameSize: 5000, loan: account.loan())))
        // A masked text of 800 bytes.
        try channel.writeInbound(ByteBuffer(bytes: [0x81, 0xFE, 0x03, 0x20, 0, 0, 0, 0]))
        try channel.writeInbound(ByteBuffer(repeating: 0x20, count: 700))
        #expect(account.bytes == 700)
        try channel.writeInbound(ByteBuffer(repeating: 0x20, count: 100))
        #expect(try channel.readInbound(as: WebSocketFrame.self)?.length == 800)
        #expect(account.bytes == 0)
        // One that is longer than the address may have in all.
        try channel.writeInbound(ByteBuffer(bytes: [0x81, 0xFE, 0x10, 0, 0, 0, 0, 0]))
        #expect(throws: MemoryRefused.self) { try channel.writeInbound(ByteBuffer(repeating: 0x20, count: 1001)) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `a session keeps for its client's return what its address has room for`() throws {
        let account = MemoryAccount(limit: MemoryLimit(500)) {}
        var link = SignalingLink(loan: account.loan(), until: .now() + .seconds(60))
        _ = try link.attach(acknowledged: 0, now: .now())
        for _ in 0..<10 {
            let number = link.takeNumber()
            link.sent(String(repeating: "m", count: 100), number: number, now: .now())
        }
        #expect(account.bytes == 3 * 164)
        let back = try link.attach(acknowledged: 5, now: .now())
        #expect(back.replay.map(\.number) == [8, 9, 10] && back.lost == 6...7)
        // And nothing once another takes all of it.
        let other = account.loan()
        #expect(other.take(8))
        link.acknowledged(10)
        #expect(other.take(490))
        let number = link.takeNumber()
        link.sent(String(repeating: "m", count: 100), number: number, now: .now())
        #expect(try link.attach(acknowledged: 10, now: .now()).lost == 11...11)
        link.end()
        #expect(account.bytes == 498)
    }
}
