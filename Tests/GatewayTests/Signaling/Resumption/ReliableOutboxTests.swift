import NIOCore
import NIOEmbedded
import RoundhouseRooms
import Synchronization
import Testing

@testable import RoundhouseGateway

/// Scripts in virtual time: what reaches a client, over which channels, and when a session is over.
@Suite struct ReliableOutboxTests {
    /// Upper-case texts are numbered.
    private struct Encoder: OutboxEncoder {
        func isNumbered(_ message: String) -> Bool { message == message.uppercased() }
        func encode(_ message: String, number: UInt64?) -> String { number.map { "\($0):\(message)" } ?? message }
    }

    /// Notes what a client gets by one channel.
    private final class Channel: SignalingChannel {
        private let noted = Mutex<[String]>([])
        var got: [String] { noted.withLock { $0 } }

        func send(_ text: String, number: UInt64?) { noted.withLock { $0.append(text) } }
        func close(_ reason: PeerCloseReason) { send("close: \(reason.rawValue)", number: nil) }
        func superseded() { send("superseded", number: nil) }
    }

    private final class Alarm: Sendable {
        private let count = Mutex(0)

        func ring() { count.withLock { $0 += 1 } }
        func takeRing() -> Bool {
            count.withLock { count in
                defer { count = max(0, count - 1) }
                return count > 0
            }
        }
    }

    private final class Session {
        let eventLoop = EmbeddedEventLoop()
        var outbox: ReliableOutbox<Encoder>
        private let alarm = Alarm()
        /// When the session was over, in seconds.
        private(set) var overAt: Int64?
        /// How often the timer fired.
        private(set) var rings = 0

        init(isResumable: Bool = true, _ change: (inout GatewayLimits) -> Void = { _ in }) {
            var limits = GatewayLimits.patient
            change(&limits)
            outbox = ReliableOutbox(
                Encoder(), isResumable: isResumable, limits: limits, loan: .testing, window: .seconds(30),
                eventLoop: eventLoop)
        }

        var seconds: Int64 { Int64(eventLoop.now.uptimeNanoseconds / 1_000_000_000) }

        func attach(_ acknowledged: UInt64 = 0, acceptsLoss: Bool = true) throws -> (number: UInt64, channel: Channel) {
            let channel = Channel()
            let (number, former, isOver) = try outbox.attach(
                channel, acknowledged: acknowledged, acceptsLoss: acceptsLoss
            ) {
                ["hello \($0.received)" + ($0.lost.map { ", lost \($0.lowerBound)-\($0.upperBound)" } ?? "")]
            }
            former?.superseded()
            if isOver { overAt = seconds }
            return (number, channel)
        }

        func lost(_ number: UInt64) -> Bool {
            defer { schedule() }
            return outbox.channelLost(number, window: .seconds(30))
        }

        func schedule(_ deadline: NIODeadline? = nil) {
            outbox.schedule(deadline) { [alarm] in alarm.ring() }
        }

        /// Time passes, a second at a time.
        func wait(_ seconds: Int64, deadline: NIODeadline? = nil) {
            for _ in 0..<seconds {
                eventLoop.advanceTime(by: .seconds(1))
                while alarm.takeRing() {
                    rings += 1
                    if outbox.timerFired() { overAt = self.seconds }
                    schedule(deadline)
                }
            }
        }

        func send(_ texts: String...) { for text in texts { outbox.send(text) } }
        func emit(_ text: String) -> Int { outbox.emit(text) }
        func close(_ reason: PeerCloseReason) -> Bool { outbox.close(reason) }
        func end() -> Channel? { outbox.end() as? Channel }
        func isHandled(on channel: UInt64, number: UInt64, acknowledged: UInt64? = nil) -> Bool {
            outbox.messageReceived(on: channel, number: number, acknowledged: acknowledged)
        }
    }

    // MARK: Order

    @Test func `what is sent while a request is handled follows its response`() throws {
        let session = Session()
        let channel = try session.attach().channel
        session.send("A")
        session.outbox.hold()
        session.send("B", "c")
        #expect(session.emit("RESPONSE") == "2:RESPONSE".utf8.count)
        session.outbox.release()
        session.send("D")
        #expect(channel.got == ["hello 0", "1:A", "2:RESPONSE", "3:B", "c", "4:D"])
    }

    @Test func `holding twice keeps what was held first`() throws {
        let session = Session()
        let channel = try session.attach().channel
        session.outbox.hold()
        session.send("A")
        session.outbox.hold()
        session.outbox.release()
        session.outbox.release()
        #expect(channel.got == ["hello 0", "1:A"])
    }

    // MARK: Coming back

    @Test func `a client that comes back gets what it missed, and nothing that is not numbered`() throws {
        let session = Session()
        let first = try session.attach()
        session.send("A", "B", "c")
        #expect(session.lost(first.number))
        session.send("D", "e")
        #expect(first.channel.got == ["hello 0", "1:A", "2:B", "c"])
        session.wait(29)
        let second = try session.attach(1)
        session.send("F")
        #expect(second.channel.got == ["hello 0", "2:B", "3:D", "4:F"])
        #expect(session.overAt == nil)
    }

    @Test func `a newer channel replaces an older one, whose end and messages then count for nothing`() throws {
        let session = Session()
        let first = try session.attach()
        let second = try session.attach()
        #expect(first.channel.got == ["hello 0", "superseded"])
        #expect(!session.outbox.isCurrent(first.number) && session.outbox.isCurrent(second.number))
        #expect(!session.lost(first.number))
        let isOldHandled = session.isHandled(on: first.number, number: 1)
        let isNewHandled = session.isHandled(on: second.number, number: 1)
        #expect(!isOldHandled && isNewHandled)
        session.wait(60)
        #expect(session.overAt == nil)
    }

    @Test func `what was acknowledged is not kept, and what was lost is said or ends the session`() throws {
        let session = Session { $0.replayBytes = 140 }
        let first = try session.attach()
        session.send("A", "B", "C", "D")
        #expect(session.isHandled(on: first.number, number: 1, acknowledged: 1))
        let second = try session.attach()
        #expect(second.channel.got == ["hello 1, lost 1-2", "3:C", "4:D"])
        #expect(throws: SignalingLink.Refusal.ended) { _ = try session.attach(1, acceptsLoss: false) }
        #expect(session.outbox.isEnded)
    }

    @Test func `without resumption nothing is numbered, kept or refused as repeated`() throws {
        let session = Session(isResumable: false)
        let (number, channel) = try session.attach()
        session.send("A")
        #expect(channel.got == ["hello 0", "A"])
        for _ in 0..<2 { #expect(session.isHandled(on: number, number: 1, acknowledged: 9)) }
        session.outbox.replied(.success(.null), to: SignalID(json: .integer(1)), bytes: 4)
        #expect(session.outbox.reply(to: SignalID(json: .integer(1))) == nil)
        #expect(try session.attach().channel.got == ["hello 0"])
    }

    @Test func `a peer that is closed while its client is away is over when the client comes back`() throws {
        let session = Session()
        let first = try session.attach()
        session.outbox.hold()
        session.send("A")
        #expect(session.lost(first.number))
        #expect(!session.close(.kicked))
        #expect(session.overAt == nil)
        #expect(try session.attach().channel.got == ["hello 0", "1:A", "close: kicked-by-an-operator"])
        #expect(session.overAt == 0)
    }

    @Test(arguments: [PeerCloseReason.replaced, .shutdown])
    func `there is nothing to come back to`(reason: PeerCloseReason) throws {
        let session = Session()
        let first = try session.attach()
        #expect(session.lost(first.number))
        #expect(session.close(reason))
        #expect(first.channel.got == ["hello 0"])
    }

    @Test func `a client that is there gets what was held back, then the reason`() throws {
        let session = Session()
        let channel = try session.attach().channel
        session.outbox.hold()
        session.send("A")
        #expect(session.close(.roomClosed))
        #expect(channel.got == ["hello 0", "1:A", "close: room-closed"])
    }

    // MARK: Time

    @Test func `a client that does not come back in time ends its session, and one that does starts the time again`()
        throws
    {
        let session = Session()
        let first = try session.attach()
        #expect(session.lost(first.number))
        session.wait(20)
        let second = try session.attach()
        session.wait(5)
        #expect(session.lost(second.number) && session.outbox.isAway)
        session.wait(29)
        #expect(session.overAt == nil)
        session.wait(2)
        #expect(session.overAt == 55)
        #expect(session.outbox.isEnded && !session.outbox.isAway)
        #expect(throws: SignalingLink.Refusal.ended) { _ = try session.attach() }
    }

    @Test func `a request of its own extends the time`() throws {
        let session = Session()
        session.schedule()
        session.wait(20)
        session.outbox.extend(by: .seconds(60))
        session.wait(50)
        #expect(session.overAt == nil)
        session.wait(20)
        #expect(session.overAt == 80)
    }

    @Test func `the timer serves other deadlines while the client is there, the earliest first`() throws {
        let session = Session()
        _ = try session.attach()
        let later = session.eventLoop.now + .seconds(10)
        session.schedule(later)
        session.schedule(session.eventLoop.now + .seconds(4))
        session.wait(4, deadline: later)
        #expect(session.rings == 1)
        session.wait(6)
        #expect(session.rings == 2 && session.overAt == nil)
    }

    @Test func `after the end nothing is sent, and no timer fires`() throws {
        let session = Session()
        let (number, channel) = try session.attach()
        #expect(session.lost(number))
        let again = try session.attach()
        session.outbox.hold()
        session.send("A")
        session.schedule(session.eventLoop.now + .seconds(1))
        #expect(session.end() === again.channel)
        session.send("B")
        session.outbox.release()
        session.wait(60)
        #expect(session.rings == 0 && channel.got == ["hello 0"] && again.channel.got == ["hello 0"])
    }
}
