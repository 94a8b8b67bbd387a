import NIOCore
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// The rules by which a client comes back, in virtual time.
@Suite struct SignalingLinkTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000)
    private func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    /// The link by reference, so that an expectation may change it.
    private final class Session {
        var link: SignalingLink
        init(_ link: SignalingLink) { self.link = link }

        func attach(_ acknowledged: UInt64, _ now: NIODeadline) throws -> SignalingLink.Attachment {
            try link.attach(acknowledged: acknowledged, now: now)
        }
        func detach(_ channel: UInt64, until deadline: NIODeadline) -> Bool {
            link.detach(channel: channel, until: deadline)
        }
        func timePassed(_ now: NIODeadline) -> Bool { link.timePassed(now: now) }
        func received(_ channel: UInt64?, _ number: UInt64?) -> Bool {
            link.messageReceived(channel: channel, number: number)
        }
        func reply(_ id: Int64) throws -> JSONValue? { try link.reply(to: Self.id(id))?.result.get() }
        func replied(_ value: Int64, to id: Int64, bytes: Int) {
            link.replied(RecordedReply(.success(.integer(value))), to: Self.id(id), bytes: bytes)
        }
        private static func id(_ number: Int64) -> SignalID { SignalID(json: .integer(number)) }

        @discardableResult
        func send(_ text: String, at time: NIODeadline) -> UInt64 {
            let number = link.takeNumber()
            link.sent(text, number: number, now: time)
            return number
        }
    }

    private func open(_ change: (inout SignalingLink.Settings) -> Void = { _ in }) -> Session {
        var settings = SignalingLink.Settings()
        change(&settings)
        return Session(SignalingLink(settings, loan: .testing, until: at(60)))
    }

    // MARK: Coming back

    @Test func `a client that comes back gets what it lacks, in order, and nothing else`() throws {
        let session = open()
        let first = try session.attach(0, start)
        #expect(first == .init(channel: 1, received: 0, replay: [], lost: nil))
        for text in ["a", "b", "c", "d"] { session.send(text, at: start) }
        #expect(session.detach(1, until: at(30)))
        session.send("e", at: at(5))
        let second = try session.attach(2, at(29))
        #expect(second.replay.map(\.text) == ["c", "d", "e"])
        #expect(second.replay.map(\.number) == [3, 4, 5])
        #expect(second.lost == nil)
    }

    @Test func `a session that nobody came back to in time is over`() throws {
        let session = open()
        _ = try session.attach(0, start)
        #expect(session.link.deadline == nil)
        #expect(session.detach(1, until: at(30)))
        #expect(!session.timePassed(at(29)))
        #expect(session.timePassed(at(30)))
        #expect(throws: SignalingLink.Refusal.ended) { try session.attach(0, at(31)) }
        #expect(!session.timePassed(at(90)), "it ends once")
    }

    @Test func `a client that was heard of has longer`() {
        let session = open()
        session.link.extend(until: at(80))
        #expect(session.link.deadline == at(80))
        session.link.extend(until: at(70))
        #expect(session.link.deadline == at(80))
    }

    @Test func `the end of a channel that was left changes nothing`() throws {
        let session = open()
        let old = try session.attach(0, start).channel
        let new = try session.attach(0, start).channel
        #expect(!session.detach(old, until: at(30)))
        #expect(session.link.phase == .attached(channel: new))
        #expect(!session.received(old, nil), "what it still brings is not heard")
        #expect(session.received(new, nil))
    }

    @Test func `a client that acknowledges messages never sent is refused`() throws {
        let session = open()
        session.send("a", at: start)
        #expect(throws: SignalingLink.Refusal.notThisSession) { try session.attach(2, start) }
        #expect(try session.attach(1, start).replay.isEmpty)
    }

    // MARK: What is kept

    @Test func `what is too old is given up while the client is there, and kept while it is away`() throws {
        let session = open()
        _ = try session.attach(0, start)
        session.send("old", at: at(0))
        session.send("new", at: at(61))
        let second = try session.attach(0, at(62))
        #expect(second.replay.map(\.text) == ["new"])
        #expect(second.lost == 1...1)
        #expect(session.detach(2, until: at(200)))
        session.send("newer", at: at(190))
        #expect(try session.attach(1, at(191)).replay.map(\.text) == ["new", "newer"])
    }

    @Test func `what is too much is given up from its beginning, and the client is notified`() throws {
        let session = open { $0.replayBytes = 1000 }
        for _ in 0..<100 { session.send(String(repeating: "x", count: 36), at: start) }
        let attachment = try session.attach(7, start)
        #expect(attachment.replay.map(\.number) == Array(91...100))
        #expect(attachment.lost == 8...90)
    }

    @Test func `a message that is too long for all is lost, and its client notified`() throws {
        let session = open { $0.replayBytes = 10 }
        session.send("x", at: start)
        let attachment = try session.attach(0, start)
        #expect(attachment.replay.isEmpty)
        #expect(attachment.lost == 1...1)
        #expect(try session.attach(1, start).lost == nil)
    }

    @Test func `what the client has acknowledged is not kept`() throws {
        let session = open { $0.replayBytes = 1000 }
        for _ in 0..<1000 { session.link.acknowledged(session.send(String(repeating: "x", count: 100), at: start)) }
        let attachment = try session.attach(1000, start)
        #expect(attachment.replay.isEmpty && attachment.lost == nil)
    }

    // MARK: The client's messages

    @Test func `a message that comes again is not acted upon`() throws {
        let session = open()
        let channel = try session.attach(0, start).channel
        #expect([1, 2, 2, 1, 3].map { session.received(channel, $0) } == [true, true, false, false, true])
        #expect(try session.attach(0, start).received == 3)
    }

    @Test func `a request that comes again is answered from what was kept, as long as it is`() throws {
        let session = open {
            $0.recordedReplies = 3
            $0.recordedBytes = 10_000
        }
        for number: Int64 in 0..<5 { session.replied(number, to: number, bytes: 10) }
        #expect(try session.reply(1) == nil)
        #expect(try session.reply(4) == .integer(4))
        session.replied(7, to: 4, bytes: 10)
        #expect(try session.reply(4) == .integer(4), "the first answer stands")
        session.replied(9, to: 9, bytes: 9_900)
        #expect(try session.reply(3) == nil && session.reply(4) == nil)
        #expect(try session.reply(9) == .integer(9))
    }

    // MARK: Cuts

    /// A client, the server's link and the wires between them; whatever is on a wire when it is cut is gone.
    private struct Call {
        var link: SignalingLink
        var now: NIODeadline
        var channel: UInt64?
        var toClient: CircularBuffer<SignalingLink.Message> = []
        var toServer: CircularBuffer<(number: UInt64, text: String)> = []
        var serverSent: [String] = []
        var serverGot: [String] = []
        var clientSent: [String] = []
        var clientGot: [String] = []
        var clientKeeps: [(number: UInt64, text: String)] = []
        var clientLast: UInt64 = 0

        mutating func serverSends() {
            let text = "server \(serverSent.count)"
            serverSent.append(text)
            let number = link.takeNumber()
            link.sent(text, number: number, now: now)
            if channel != nil { toClient.append(.init(number: number, text: text)) }
        }

        mutating func clientSends() {
            let text = "client \(clientSent.count)"
            clientSent.append(text)
            let message = (number: UInt64(clientSent.count), text: text)
            clientKeeps.append(message)
            if channel != nil { toServer.append(message) }
        }

        mutating func deliverToClient() {
            guard let message = toClient.popFirst() else { return }
            // What a client has to do: nothing but count.
            if message.number > clientLast {
                clientLast = message.number
                clientGot.append(message.text)
            }
        }

        mutating func deliverToServer() {
            guard let message = toServer.popFirst() else { return }
            if link.messageReceived(channel: channel, number: message.number) { serverGot.append(message.text) }
        }

        /// - Parameter isNoticed: the server sees the end before the client is back.
        mutating func cut(isNoticed: Bool) {
            guard let channel else { return }
            if isNoticed { _ = link.detach(channel: channel, until: now + .seconds(30)) }
            self.channel = nil
            toClient.removeAll()
            toServer.removeAll()
        }

        mutating func comeBack() throws {
            guard channel == nil else { return }
            let attachment = try link.attach(acknowledged: clientLast, now: now)
            #expect(attachment.lost == nil)
            channel = attachment.channel
            for message in attachment.replay { toClient.append(message) }
            clientKeeps.removeAll { $0.number <= attachment.received }
            for message in clientKeeps { toServer.append(message) }
        }

        mutating func finish() throws {
            try comeBack()
            while !toClient.isEmpty { deliverToClient() }
            while !toServer.isEmpty { deliverToServer() }
            #expect(clientGot == serverSent)
            #expect(serverGot == clientSent)
        }
    }

    private func begin() throws -> Call {
        var call = Call(link: open().link, now: start)
        try call.comeBack()
        return call
    }

    @Test(arguments: 0..<41, [false, true])
    func `a cut at any point of a session loses and doubles nothing`(cutAt: Int, isNoticed: Bool) throws {
        var call = try begin()
        // Ten rounds of a request, its delivery, an answer and its delivery.
        for step in 0..<40 {
            if step == cutAt {
                call.cut(isNoticed: isNoticed)
                // Both go on talking before the client is back.
                call.serverSends()
                call.clientSends()
                try call.comeBack()
            }
            switch step % 4 {
            case 0: call.clientSends()
            case 1: call.deliverToServer()
            case 2: call.serverSends()
            default: call.deliverToClient()
            }
        }
        if cutAt == 40 { call.cut(isNoticed: isNoticed) }
        try call.finish()
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test(arguments: 0..<200)
    func `any sequence of messages, cuts and returns loses and doubles nothing`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        var call = try begin()
        for _ in 0..<400 {
            switch Int.random(in: 0..<100, using: &random) {
            case ..<25: call.serverSends()
            case ..<50: call.clientSends()
            case ..<68: call.deliverToClient()
            case ..<86: call.deliverToServer()
            case ..<92: call.cut(isNoticed: Bool.random(using: &random))
            default: try call.comeBack()
            }
            call.now = call.now + .milliseconds(Int64.random(in: 0..<50, using: &random))
        }
        try call.finish()
    }

    // MARK: Tokens

    @Test func `a token is matched by itself alone`() {
        var random = Seeded(state: 1)
        let token = ResumptionToken(using: &random)
        #expect(token.text.utf8.count == 43)
        #expect(token.matches(Secret(token.text)))
        for wrong in ["", "x", String(token.text.dropLast()), token.text + "x", "x" + token.text.dropFirst()] {
            #expect(!token.matches(Secret(wrong)))
        }
        #expect(!ResumptionToken(using: &random).matches(Secret(token.text)))
    }
}
