import Testing

@testable import RoundhouseMedia

/// RFC 3758 and RFC 8260 §2.3: messages that are given up, and what is known of them on both sides.
@Suite("SCTP messages that may be given up")
struct SCTPPartialReliabilityTests {
    private func connected(isInterleaved: Bool = false) -> SCTPPair {
        var settings = SCTPSettings()
        if isInterleaved { settings.capabilities.insert(.interleaving) }
        let pair = SCTPPair(settings)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        return pair
    }

    /// Nothing goes from the first to the second for a while.
    private func cut(_ pair: SCTPPair, for duration: MediaDuration) {
        pair.filter = { isFromFirst, _ in !isFromFirst }
        pair.run(for: duration)
        pair.filter = nil
    }

    @Test(arguments: [false, true], [false, true]) func `a message without retransmissions is sent once`(
        isUnordered: Bool, isInterleaved: Bool
    ) {
        let pair = connected(isInterleaved: isInterleaved)
        #expect(pair.send(.numbered(1, count: 4, isUnordered: isUnordered), .retransmissions(0)) == .queued)
        cut(pair, for: .milliseconds(1))
        #expect(pair.send(.numbered(2, count: 4, isUnordered: isUnordered), .retransmissions(0)) == .queued)
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.map(\.number) == [2])
        #expect(pair.first.association.abandonedMessages == 1 && pair.first.association.retransmittedChunks == 0)
        #expect(pair.first.association.sender.isDrained)
    }

    @Test func `a message with two retransmissions is sent three times`() {
        let pair = connected()
        pair.keepsSent = true
        #expect(pair.send(.numbered(1, count: 4), .retransmissions(2)) == .queued)
        cut(pair, for: .seconds(20))
        #expect(pair.sent.filter { $0.packet[12] == SCTPChunkType.data.rawValue }.count == 3)
        pair.run(for: .seconds(5))
        #expect(pair.first.association.sender.isDrained && pair.second.messages.isEmpty)
    }

    @Test func `a message whose time is over before it was sent leaves no trace`() {
        let pair = SCTPPair()
        #expect(pair.send(.numbered(1, count: 4), .lifetime(.milliseconds(100))) == .queued)
        pair.run(for: .milliseconds(200))
        #expect(pair.send(.numbered(2, count: 4)) == .queued)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        #expect(pair.second.messages.map(\.number) == [2])
        #expect(pair.first.association.expiredMessages == 1 && pair.first.association.abandonedMessages == 0)
    }

    @Test func `a message whose time is over is not sent again, by the timer neither`() {
        let pair = connected()
        #expect(pair.send(.numbered(1, count: 4), .lifetime(.milliseconds(100))) == .queued)
        cut(pair, for: .seconds(2))
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.isEmpty && pair.first.association.retransmittedChunks == 0)
        #expect(pair.first.association.sender.isDrained)
    }

    @Test func `messages whose time is over make room for a new one`() {
        var settings = SCTPSettings()
        settings.sendBuffer = 10_000
        let pair = SCTPPair(settings)
        for number in 0..<10 {
            #expect(pair.send(.numbered(number, count: 1000), .lifetime(.milliseconds(50))) == .queued)
        }
        #expect(pair.send(.numbered(10, count: 1000)) == .bufferFull)
        pair.run(for: .milliseconds(100))
        #expect(pair.send(.numbered(10, count: 1000)) == .queued)
    }

    /// Whatever part of a long message is lost, the messages around it arrive and nothing is left of it.
    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)], 0..<12)
    func `losing any packet of a long message gives it up whole`(kind: (Bool, Bool), lost: Int) {
        let pair = connected(isInterleaved: kind.1)
        #expect(pair.send(.numbered(1, count: 4, isUnordered: kind.0)) == .queued)
        pair.run(for: .seconds(1))
        var count = 0
        pair.filter = { isFromFirst, _ in
            guard isFromFirst else { return true }
            defer { count += 1 }
            return count != lost
        }
        #expect(pair.send(.numbered(2, count: 11_000, isUnordered: kind.0), .retransmissions(0)) == .queued)
        #expect(pair.send(.numbered(3, count: 11_000, isUnordered: kind.0)) == .queued)
        pair.run(for: .seconds(20))
        #expect(pair.second.messages.map(\.number).sorted().filter { $0 != 2 } == [1, 3])
        #expect(pair.second.association.heldBytes == 0 && pair.first.association.sender.isDrained)
    }

    @Test func `a lost FORWARD-TSN is repeated`() {
        let pair = connected()
        #expect(pair.send(.numbered(1, count: 4), .retransmissions(0)) == .queued)
        cut(pair, for: .milliseconds(1))
        var lost = 0
        pair.filter = { isFromFirst, packet in
            guard isFromFirst, !SCTPTransferTests.chunks(in: packet, .forwardTSN).isEmpty, lost < 2 else { return true }
            lost += 1
            return false
        }
        #expect(pair.send(.numbered(2, count: 4)) == .queued)
        pair.run(for: .seconds(10))
        #expect(lost == 2 && pair.second.messages.map(\.number) == [2])
        #expect(pair.first.association.sender.isDrained)
    }

    @Test func `with a peer that cannot skip messages, all are reliable`() {
        var plain = SCTPSettings()
        plain.capabilities = []
        let pair = SCTPPair(SCTPSettings(), second: plain)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        #expect(pair.send(.numbered(1, count: 4), .retransmissions(0)) == .queued)
        cut(pair, for: .milliseconds(1))
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.map(\.number) == [1])
    }
}
