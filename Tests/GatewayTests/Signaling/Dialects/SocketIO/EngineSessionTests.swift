import NIOCore
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// One session and a clock that moves only when a test says so.
@Suite struct EngineSessionTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var now = start
    private var session: EngineSession

    init() { (session, _) = EngineSession.open("sid", EngineSession.Settings(), socket: nil, now: Self.start) }

    private mutating func opened() { _ = session.pollReceived() }

    private mutating func pass(_ seconds: Int64) -> [EngineSession.Action] {
        now = now + .seconds(seconds)
        return session.timePassed(now: now)
    }

    /// Brings the session to socket 1.
    private mutating func upgrade() {
        opened()
        _ = session.socketOpened(1, now: now)
        _ = session.frameReceived("2probe", on: 1, now: now)
        _ = session.frameReceived("5", on: 1, now: now)
    }

    // MARK: SubscriptionStart

    @Test mutating func `the first poll is answered with everything about the session`() throws {
        guard case .answer(let packets) = session.pollReceived().outcome else { throw NeverHappened() }
        #expect(packets.map(\.kind) == [.open])
        let description = try JSONValue(parsing: packets[0].data)
        #expect(
            description
                == .object([
                    "sid": .string("sid"), "upgrades": .array([.string("websocket")]), "pingInterval": .integer(25000),
                    "pingTimeout": .integer(20000), "maxPayload": .integer(1_000_000),
                ]))
    }

    @Test func `a session on a WebSocket begins there and has nothing to upgrade to`() throws {
        let (_, actions) = EngineSession.open("sid", EngineSession.Settings(), socket: 4, now: Self.start)
        guard case .send(let packet, socket: 4)? = actions.first else { throw NeverHappened() }
        #expect(actions.count == 1)
        #expect(try JSONValue(parsing: packet.data)["upgrades"] == .array([]))
    }

    // MARK: Polling

    @Test mutating func `messages wait for a poll and arrive together, in order`() {
        opened()
        #expect(session.send("a") == [])
        #expect(session.send("b") == [])
        #expect(session.pollReceived().outcome == .answer([EnginePacket(.message, "a"), EnginePacket(.message, "b")]))
        #expect(session.pollReceived().outcome == .wait)
        #expect(session.send("c") == [.answerPoll([EnginePacket(.message, "c")])])
    }

    @Test mutating func `a payload's messages come out one by one`() {
        opened()
        let (isAccepted, actions) = session.payloadReceived(Array("4a\u{1e}6\u{1e}4b".utf8), now: now)
        #expect(isAccepted)
        #expect(actions == [.message("a"), .message("b")])
    }

    @Test mutating func `two polls at once end the session`() {
        opened()
        #expect(session.pollReceived().outcome == .wait)
        let (outcome, actions) = session.pollReceived()
        #expect(outcome == .refuse)
        #expect(actions == [.answerPoll([EnginePacket(.close)]), .closed(.overlappingPolls), .ended])
        #expect(session.pollReceived().outcome == .refuse)
        #expect(session.nextDeadline == nil)
    }

    @Test(arguments: ["", "9", "2", "0{}", "5", "bAAAA", "4a\u{1e}"])
    func `a payload that has no place here ends the session`(text: String) {
        var (session, _) = EngineSession.open("sid", EngineSession.Settings(), socket: nil, now: Self.start)
        _ = session.pollReceived()
        let actions = session.payloadReceived(Array(text.utf8), now: Self.start).actions
        #expect(actions.suffix(2) == [.closed(.protocolViolation), .ended])
        #expect(session.payloadReceived(Array("4a".utf8), now: Self.start).isAccepted == false)
        #expect(session.send("late") == [])
    }

    @Test mutating func `what follows the client's close in a payload is not heard`() {
        opened()
        #expect(session.pollReceived().outcome == .wait)
        let (isAccepted, actions) = session.payloadReceived(Array("4a\u{1e}1\u{1e}4b".utf8), now: now)
        #expect(isAccepted)
        #expect(actions == [.message("a"), .answerPoll([EnginePacket(.noop)]), .closed(.clientClosed), .ended])
    }

    @Test func `a client that does not poll is cut off before it costs much`() {
        var settings = EngineSession.Settings()
        settings.outgoingLimit = 400
        var (session, _) = EngineSession.open("sid", settings, socket: nil, now: Self.start)
        _ = session.pollReceived()
        let text = String(repeating: "x", count: 99)
        for _ in 0..<4 { #expect(session.send(text) == []) }
        #expect(session.send("x") == [.closed(.overflow), .ended])
    }

    // MARK: Heartbeat

    @Test mutating func `the server pings, and a pong starts the next interval`() {
        opened()
        #expect(session.pollReceived().outcome == .wait)
        #expect(session.nextDeadline == Self.start + .seconds(25))
        #expect(pass(24) == [])
        #expect(pass(1) == [.answerPoll([EnginePacket(.ping)])])
        #expect(session.nextDeadline == now + .seconds(20))
        now = now + .seconds(19)
        #expect(session.payloadReceived(Array("3".utf8), now: now).actions == [])
        #expect(session.nextDeadline == now + .seconds(25))
        #expect(pass(24) == [])
    }

    @Test mutating func `a pong nobody asked for buys no time`() {
        opened()
        _ = session.payloadReceived(Array("3".utf8), now: now + .seconds(20))
        #expect(session.nextDeadline == Self.start + .seconds(25))
    }

    @Test mutating func `a client that answers no ping is gone`() {
        opened()
        #expect(pass(25) == [])
        #expect(pass(19) == [])
        #expect(pass(1) == [.closed(.pingTimeout), .ended])
        #expect(pass(100) == [])
    }

    @Test mutating func `messages are no pong`() {
        upgrade()
        #expect(pass(25) == [.send(EnginePacket(.ping), socket: 1)])
        _ = session.frameReceived("4still here", on: 1, now: now)
        #expect(pass(20) == [.closeSocket(1), .closed(.pingTimeout), .ended])
    }

    // MARK: Upgrade

    @Test mutating func `an upgrade answers the probe, ends the poll, and moves what waits`() {
        opened()
        #expect(session.pollReceived().outcome == .wait)
        #expect(session.socketOpened(1, now: now) == [])
        #expect(
            session.frameReceived("2probe", on: 1, now: now) == [
                .send(EnginePacket(.pong, "probe"), socket: 1), .answerPoll([EnginePacket(.noop)]),
            ])
        // A poll that was on its way returns at once: the client waits for it.
        #expect(session.pollReceived().outcome == .answer([EnginePacket(.noop)]))
        #expect(session.send("waiting") == [])
        #expect(
            session.frameReceived("5", on: 1, now: now) == [.send(EnginePacket(.message, "waiting"), socket: 1)])
        #expect(session.send("next") == [.send(EnginePacket(.message, "next"), socket: 1)])
        #expect(session.frameReceived("4hello", on: 1, now: now) == [.message("hello")])
        #expect(session.pollReceived().outcome == .refuse)
        #expect(!session.payloadReceived(Array("4x".utf8), now: now).isAccepted)
    }

    @Test mutating func `a message is not lost when it comes between probe and upgrade`() {
        opened()
        _ = session.socketOpened(1, now: now)
        _ = session.frameReceived("2probe", on: 1, now: now)
        #expect(session.payloadReceived(Array("4posted".utf8), now: now).actions == [.message("posted")])
        #expect(session.send("polled") == [])
        #expect(session.pollReceived().outcome == .answer([EnginePacket(.message, "polled")]))
    }

    @Test(arguments: ["5", "4early", "2", "", "2probe2"])
    func `a WebSocket that does not begin with the probe is closed and polling goes on`(text: String) {
        var (session, _) = EngineSession.open("sid", EngineSession.Settings(), socket: nil, now: Self.start)
        _ = session.pollReceived()
        _ = session.socketOpened(1, now: Self.start)
        #expect(session.frameReceived(text, on: 1, now: Self.start) == [.closeSocket(1)])
        #expect(session.pollReceived().outcome == .wait)
        #expect(session.frameReceived("5", on: 1, now: Self.start) == [])
    }

    @Test mutating func `an upgrade that does not finish is given up, and another may be tried`() {
        opened()
        _ = session.socketOpened(1, now: now)
        _ = session.frameReceived("2probe", on: 1, now: now)
        #expect(session.nextDeadline == now + .seconds(10))
        #expect(pass(10) == [.closeSocket(1)])
        #expect(session.socketOpened(2, now: now) == [])
        #expect(session.socketOpened(3, now: now) == [.closeSocket(3)])
        #expect(session.socketClosed(2) == [])
        #expect(session.socketOpened(3, now: now) == [])
    }

    @Test mutating func `a second WebSocket cannot take an upgraded session over`() {
        upgrade()
        #expect(session.socketOpened(2, now: now) == [.closeSocket(2)])
        #expect(session.frameReceived("4stranger", on: 2, now: now) == [])
        #expect(session.socketClosed(2) == [])
        #expect(session.socketClosed(1) == [.closeSocket(1), .closed(.transportClosed), .ended])
    }

    @Test mutating func `garbage in a frame ends the session`() {
        upgrade()
        #expect(
            session.frameReceived("nonsense", on: 1, now: now) == [
                .closeSocket(1), .closed(.protocolViolation), .ended,
            ])
    }

    // MARK: Closing

    @Test mutating func `the server's close comes after what was sent, with the waiting poll or the next`() {
        opened()
        _ = session.send("last")
        #expect(session.close(now: now) == [.closed(.serverClosed)])
        #expect(session.send("too late") == [])
        let (outcome, actions) = session.pollReceived()
        #expect(outcome == .answer([EnginePacket(.message, "last"), EnginePacket(.close)]))
        #expect(actions == [.ended])
    }

    @Test mutating func `a closed session is forgotten though its client never polls again`() {
        opened()
        _ = session.close(now: now)
        #expect(pass(9) == [])
        #expect(pass(1) == [.ended])
        #expect(session.nextDeadline == nil)
    }

    @Test mutating func `the server's close ends a waiting poll and a WebSocket at once`() {
        opened()
        _ = session.pollReceived()
        #expect(session.close(now: now) == [.answerPoll([EnginePacket(.close)]), .closed(.serverClosed), .ended])
        #expect(session.close(now: now) == [])
        var (other, _) = EngineSession.open("sid", EngineSession.Settings(), socket: 1, now: now)
        #expect(
            other.close(now: now) == [
                .send(EnginePacket(.close), socket: 1), .closeSocket(1), .closed(.serverClosed), .ended,
            ])
    }

    // MARK: Anything

    @Test(arguments: 0..<200)
    func `whatever comes in whatever order, a session closes once and ends once`(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        let texts = ["", "2probe", "5", "4m", "3", "1", "6", "x", "2", "4a\u{1e}4b", "\u{1e}"]
        var now = Self.start
        var (session, all) = EngineSession.open("sid", EngineSession.Settings(), socket: nil, now: now)
        var waiting = 0
        for _ in 0..<60 {
            let text = texts[Int(random(UInt64(texts.count)))]
            let socket = Int(random(3))
            var actions: [EngineSession.Action] = []
            switch random(12) {
            case 0, 1, 2:
                let (outcome, more) = session.pollReceived()
                if outcome == .wait { waiting += 1 }
                actions = more
            case 3, 4: actions = session.payloadReceived(Array(text.utf8), now: now).actions
            case 5: actions = session.socketOpened(socket, now: now)
            case 6, 7: actions = session.frameReceived(text, on: socket, now: now)
            case 8: actions = random(4) == 0 ? session.socketClosed(socket) : []
            case 9: actions = session.send("s")
            case 10:
                now = now + .seconds(Int64(random(15)))
                actions = session.timePassed(now: now)
            default: actions = random(10) == 0 ? session.close(now: now) : []
            }
            for case .answerPoll in actions { waiting -= 1 }
            #expect((0...1).contains(waiting))
            all += actions
        }
        for _ in 0..<20 {
            now = now + .seconds(60)
            all += session.timePassed(now: now)
        }
        #expect(session.nextDeadline == nil)
        #expect(all.count { if case .closed = $0 { true } else { false } } == 1)
        #expect(all.count { $0 == .ended } == 1)
        let closed = all.firstIndex { if case .closed = $0 { true } else { false } } ?? 0
        #expect(!all[closed...].contains { if case .message = $0 { true } else { false } })
    }
}
