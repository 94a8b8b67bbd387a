import NIOCore
import Testing

@testable import RoundhouseGateway

@Suite struct SignalingAllowanceTests {
    private let start = NIODeadline.uptimeNanoseconds(0)
    private static let overhead = SignalingAllowance.overhead

    private func allowance(messages: Int = 100, size: Int = 65_536) -> SignalingAllowance {
        SignalingAllowance(
            SignalingAllowance.Rates(messagesPerSecond: messages, messageBytes: size), now: start)
    }

    @Test func `bytes are charged before a message is read, forty of the longest at once, then four a second`() {
        var allowance = allowance(messages: 10)
        let longest = 65_536 - Self.overhead
        let first = (0..<40).map { _ in allowance.messageReceived(bytes: longest, now: start).delay }
        #expect(first.allSatisfy { $0 == .zero })
        // One that comes meanwhile waits behind the one before.
        let delays = [0, 100, 10_000].map {
            allowance.messageReceived(bytes: longest, now: start + .milliseconds($0)).delay
        }
        #expect(delays == [.milliseconds(250), .milliseconds(400), .zero])
    }

    @Test func `the shortest messages cost what reading them does`() {
        var allowance = allowance()
        var count = 0
        while allowance.messageReceived(bytes: 2, now: start).delay == .zero { count += 1 }
        // 2.5 MiB at once by 514 bytes.
        #expect(count == 10 * 262_144 / (2 + Self.overhead))
    }

    @Test func `messages are counted too, and those beyond the rate are said to be`() {
        var allowance = allowance(messages: 10)
        let answers = (0..<150).map { _ in allowance.messageReceived(bytes: 10, now: start).isWithinRate }
        #expect(answers == Array(repeating: true, count: 100) + Array(repeating: false, count: 50))
        // What was beyond it was not charged as a message.
        let later = [100, 150].map { allowance.oneMoreMessage(now: start + .milliseconds($0)) }
        #expect(later == [true, false])
    }

    @Test func `a rate of messages that is raised lets so many be sent`() {
        var allowance = allowance(messages: 100_000)
        for second in 0..<20 {
            let now = start + .seconds(Int64(second))
            let late = (0..<100_000).contains { _ in
                let charge = allowance.messageReceived(bytes: 200, now: now)
                return !charge.isWithinRate || charge.delay > .zero
            }
            #expect(!late)
        }
    }

    @Test func `what the server had asked for costs nothing, and does not make up for more than there was`() {
        var allowance = allowance(messages: 10)
        for _ in 0..<10_000 {
            let charge = allowance.messageReceived(bytes: 1000, now: start)
            #expect(charge.isWithinRate && charge.delay == .zero)
            allowance.giveBack(charge)
        }
        let answers = (0..<101).map { _ in allowance.messageReceived(bytes: 10, now: start).isWithinRate }
        #expect(answers.filter { $0 }.count == 100)
        // Beyond the rate nothing was taken, and nothing is given back.
        allowance.giveBack(allowance.messageReceived(bytes: 10, now: start))
        let isTaken = allowance.oneMoreMessage(now: start)
        #expect(!isTaken)
    }

    @Test func `a notification beyond the rate waits for its turn`() {
        var allowance = allowance(messages: 10)
        for _ in 0..<100 { _ = allowance.messageReceived(bytes: 10, now: start) }
        let charge = allowance.messageReceived(bytes: 10, now: start)
        #expect(!charge.isWithinRate)
        let patience = allowance.messageHeldBack(now: start)
        #expect(patience == .milliseconds(100))
        // It took the next one's place.
        let later = [100, 200].map { allowance.oneMoreMessage(now: start + .milliseconds($0)) }
        #expect(later == [false, true])
    }

    @Test func `changes that go to everybody have a rate of their own`() {
        var allowance = allowance(messages: 100_000)
        let first = (0..<100).map { _ in allowance.changeRequested(now: start) }
        #expect(first.allSatisfy { $0 == .zero })
        let delays = [0, 100].map { allowance.changeRequested(now: start + .milliseconds($0)) }
        #expect(delays == [.milliseconds(100), .milliseconds(100)])
        let later = [250, 301].map { allowance.oneMoreChange(now: start + .milliseconds($0)) }
        #expect(later == [false, true])
    }

    @Test func `a hundred messages that are none are one too many, ten a second are not`() {
        var allowance = allowance()
        let faults = (0..<101).map { _ in allowance.faultReceived(now: start) }
        #expect(faults == Array(repeating: false, count: 100) + [true])
        var patient = self.allowance()
        let slow = (0..<1000).map { patient.faultReceived(now: start + .milliseconds(100 * Int64($0))) }
        #expect(!slow.contains(true))
    }

    @Test(arguments: [(0, 0), (1, 1), (.max, .max), (-1, -1), (1_000_000, 16_777_216)])
    func `any limits make rates`(messages: Int, bytes: Int) {
        var allowance = allowance(messages: messages, size: bytes)
        _ = allowance.messageReceived(bytes: 1, now: start)
        #expect(allowance.rates.messages.perSecond >= 1)
        #expect(allowance.rates.bytes.perSecond >= 1)
    }

    @Test func `an address pays for its bodies, and into debt for the last`() throws {
        let address = try #require(ClientAddress(parsing: "192.0.2.1"))
        let other = try #require(ClientAddress(parsing: "192.0.2.2"))
        var limiter = AddressLimiter(rates: [.bodies: RateLimit(perSecond: 1000)])
        let waits = [(address, 9000, 0), (address, 6000, 0), (address, 1, 0), (other, 1, 0), (address, 1, 5001)].map {
            limiter.take(.bodies, upTo: $1, $0, now: start + .milliseconds($2))
        }
        #expect(waits == [nil, nil, 5, nil, nil])
    }
}
