import Testing

@testable import RoundhouseMedia

/// A third implementation: what Firefox had, and libdatachannel and mediasoup before 3.20 have. One at a time: its state is the
/// process'.
@Suite("Associations with usrsctp", .serialized)
struct USRSCTPTests {
    private static let sizes = [1, 2, 1159, 1160, 1161, 1200, 16_384, 65_536, 262_144]

    private func message(_ size: Int, _ salt: Int, on stream: UInt16, isUnordered: Bool = false) -> SCTPMessage {
        SCTPMessage(
            stream: stream, payloadProtocol: salt % 2 == 0 ? .binary : .string, isUnordered: isUnordered,
            payload: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ salt) })
    }

    @Test(arguments: USRSCTPPair.Beginning.allCases, [0, 50])
    func `whoever begins, messages of every size arrive both ways, in order`(
        beginning: USRSCTPPair.Beginning, loss: Int
    ) throws {
        let pair = USRSCTPPair(loss: loss, delay: .milliseconds(50), seed: UInt64(loss) + 3)
        try #require(pair.connect(beginning))
        let sent = Self.sizes.enumerated().map { message($1, $0, on: 5) }
        for message in sent {
            #expect(pair.sendOurs(message))
            #expect(pair.run(atMost: .seconds(60)) { pair.sendTheirs(message) })
        }
        #expect(
            pair.run(atMost: .seconds(300)) {
                pair.received.count == sent.count && pair.ours.messages.count == sent.count
            })
        #expect(pair.received == sent)
        #expect(pair.ours.messages == sent)
        #expect(!pair.isDown)
    }

    @Test func `hundreds of messages on several streams survive a lossy path`() throws {
        let pair = USRSCTPPair(loss: 50, delay: .milliseconds(50), seed: 8)
        try #require(pair.connect(.theirs))
        for number in 0..<300 {
            let message = SCTPMessage.numbered(number, count: number * 37 % 4000, on: UInt16(number % 4))
            #expect(pair.sendOurs(message))
            #expect(pair.run(atMost: .seconds(60)) { pair.sendTheirs(message) })
        }
        #expect(
            pair.run(atMost: .seconds(300)) { pair.received.count == 300 && pair.ours.messages.count == 300 })
        for messages in [pair.received, pair.ours.messages] {
            for stream in 0..<4 {
                let numbers = messages.filter { $0.stream == stream }.map(\.number)
                #expect(numbers == Array(stride(from: stream, to: 300, by: 4)))
            }
        }
    }

    @Test(arguments: [true, false]) func `what may be lost is lost, and nothing after it`(isOurs: Bool) throws {
        let pair = USRSCTPPair(loss: 0, seed: 4)
        try #require(pair.connect(.both))
        pair.loss = 100
        for number in 0..<200 {
            let message = SCTPMessage.numbered(number, count: 3000, on: 2, isUnordered: true)
            if isOurs {
                let reliability: SCTPReliability = number % 2 == 0 ? .retransmissions(0) : .lifetime(.milliseconds(100))
                #expect(pair.sendOurs(message, reliability))
            } else {
                let isTaken = pair.run(atMost: .seconds(60)) {
                    number % 2 == 0
                        ? pair.sendTheirs(message, retransmissions: 0) : pair.sendTheirs(message, lifetime: 100)
                }
                #expect(isTaken)
            }
            pair.run(atMost: .milliseconds(40))
        }
        pair.loss = 0
        pair.run(atMost: .seconds(30))
        // Whoever gave up has said so: what is reliable passes.
        let last = SCTPMessage.numbered(1000, count: 20_000, on: 2)
        #expect(isOurs ? pair.sendOurs(last) : pair.sendTheirs(last))
        func messages() -> [SCTPMessage] { isOurs ? pair.received : pair.ours.messages }
        #expect(pair.run(atMost: .seconds(60)) { messages().last?.number == 1000 })
        let numbers = messages().map(\.number)
        #expect(Set(numbers).count == numbers.count && (30..<200).contains(numbers.count), "\(numbers.count)")
        // What arrives is whole.
        let damaged = messages().dropLast().filter { message in
            message != .numbered(message.number, count: 3000, on: 2, isUnordered: true)
        }
        let findings = damaged.map { "\($0.payload.count) bytes from \($0.payload.prefix(6))" }
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test func `streams are reset by either side, a hundred times, and used again`() throws {
        let pair = USRSCTPPair(loss: 20, seed: 5)
        try #require(pair.connect(.theirs))
        for turn in 0..<100 {
            let message = SCTPMessage.text("turn \(turn)", on: 7)
            #expect(pair.sendOurs(message))
            #expect(pair.run(atMost: .seconds(30)) { pair.received.count == turn + 1 })
            #expect(pair.resetOurs(7))
            #expect(pair.run(atMost: .seconds(30)) { pair.incomingResets.count == turn + 1 })
            #expect(pair.sendTheirs(message))
            #expect(pair.run(atMost: .seconds(30)) { pair.ours.messages.count == turn + 1 })
            #expect(pair.run(atMost: .seconds(30)) { pair.resetTheirs(7) })
            #expect(pair.run(atMost: .seconds(30)) { pair.outgoingResets.count == turn + 1 })
        }
        let seen = pair.ours.events.count { if case .incomingStreamsReset([7]) = $0 { true } else { false } }
        let confirmed = pair.ours.events.count { if case .outgoingStreamsReset([7]) = $0 { true } else { false } }
        #expect(seen == 100 && confirmed == 100)
    }

    @Test func `either side may end it, in order or at once`() throws {
        let first = USRSCTPPair()
        try #require(first.connect(.both))
        #expect(first.sendOurs(.text("last")))
        first.ours.association.shutDown(at: first.now)
        #expect(first.run(atMost: .seconds(10)) { first.isDown && first.ours.association.isOver })
        #expect(first.received.map(\.payload) == [Array("last".utf8)])
        let second = USRSCTPPair()
        try #require(second.connect(.both))
        second.shutDownTheirs()
        #expect(second.run(atMost: .seconds(10)) { second.ours.association.isOver })
        let third = USRSCTPPair()
        try #require(third.connect(.both))
        third.ours.association.abort(at: third.now)
        #expect(third.run(atMost: .seconds(10)) { third.isDown })
    }

    @Test func `an idle association is kept alive by both`() throws {
        let pair = USRSCTPPair()
        try #require(pair.connect(.both))
        pair.run(atMost: .seconds(200))
        #expect(!pair.isDown && pair.ours.association.state == .established)
        #expect(pair.sendOurs(.text("still there")))
        #expect(pair.run(atMost: .seconds(2)) { pair.received.count == 1 })
    }
}
