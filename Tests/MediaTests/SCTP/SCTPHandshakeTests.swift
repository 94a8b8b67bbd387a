import Testing

@testable import RoundhouseMedia

/// RFC 9260 §5: who may begin, and when; what is believed.
@Suite("SCTP's beginning")
struct SCTPHandshakeTests {
    private static func type(_ packet: [UInt8]) -> SCTPChunkType { SCTPChunkType(rawValue: packet[12]) }

    @Test(arguments: [false, true]) func `one side begins, or both at once, and there is one association`(
        isSimultaneous: Bool
    ) {
        let pair = SCTPPair()
        #expect(pair.connect(isSimultaneous: isSimultaneous))
        pair.run(for: .seconds(1))
        #expect(pair.first.takeEvents() == [.connected] && pair.second.takeEvents() == [.connected])
        #expect(pair.first.association.peer?.tag == pair.second.association.localTag)
        #expect(pair.second.association.peer?.tag == pair.first.association.localTag)
        #expect(pair.send(.text("there")) == .queued && pair.send(.text("back"), fromFirst: false) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.second.takeMessages() == [.text("there")] && pair.first.takeMessages() == [.text("back")])
    }

    @Test func `what is sent before the association is there waits for it`() {
        let pair = SCTPPair()
        #expect(pair.send(.text("early")) == .queued)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        #expect(pair.second.takeMessages() == [.text("early")])
    }

    /// Each packet of the handshake in turn is lost, when one side begins and when both do.
    @Test(arguments: 0..<8, [false, true]) func `a handshake survives the loss of any of its packets`(
        lost: Int, isSimultaneous: Bool
    ) {
        let pair = SCTPPair()
        var count = 0
        pair.filter = { _, _ in
            defer { count += 1 }
            return count != lost
        }
        #expect(pair.connect(isSimultaneous: isSimultaneous))
        #expect(pair.send(.text("hello")) == .queued)
        pair.run(for: .seconds(10))
        #expect(pair.second.takeMessages() == [.text("hello")])
    }

    @Test func `a flood of INIT leaves no state, and is answered five times a second`() throws {
        let pair = SCTPPair()
        var writer = SnapshotWriter()
        pair.second.association.write(to: &writer)
        pair.first.association.connect(at: pair.now)
        let initiation = try #require(pair.first.packets(at: pair.now).first)
        var answers = 0
        for _ in 0..<1000 {
            pair.second.receive(initiation, at: pair.now)
            answers += pair.second.packets(at: pair.now).count
        }
        #expect(answers == 5 && pair.second.association.counters.overQuota == 995)
        #expect(pair.second.association.state == .closed && pair.second.association.peer == nil)
        #expect(pair.second.association.nextDeadline == nil)
    }

    @Test func `a cookie that is changed, another's or old is not believed`() throws {
        let pair = SCTPPair()
        var echo: [UInt8] = []
        pair.filter = { isFromFirst, packet in
            guard isFromFirst, Self.type(packet) == .cookieEcho else { return true }
            echo = packet
            return false
        }
        pair.first.association.connect(at: pair.now)
        pair.run(for: .milliseconds(100))
        try #require(!echo.isEmpty)
        for offset in 16..<(12 + Int(echo[14]) << 8 + Int(echo[15])) {
            let other = SCTPEndpoint(seed: 1_000_001)
            var damaged = echo
            damaged[offset] ^= 0x20
            other.receive(Self.resealed(damaged), at: pair.now)
            #expect(other.association.state == .closed, "byte \(offset)")
        }
        let stranger = SCTPEndpoint(seed: 99)
        stranger.receive(echo, at: pair.now)
        #expect(stranger.association.state == .closed && stranger.association.counters.refusedCookies == 1)
        let late = SCTPEndpoint(seed: 1_000_001)
        late.receive(echo, at: pair.now + .seconds(61))
        #expect(late.association.state == .closed && late.association.counters.refusedCookies == 1)
        let right = SCTPEndpoint(seed: 1_000_001)
        right.receive(echo, at: pair.now + .seconds(59))
        #expect(right.association.state == .established)
    }

    /// The packet with the checksum of what it holds now.
    private static func resealed(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        for index in 8..<12 { packet[index] = 0 }
        let sum = packet.withUnsafeBytes { CRC32C.checksum($0) }
        for index in 0..<4 { packet[8 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
        return packet
    }

    @Test func `a cookie cannot turn on what this side does not offer`() {
        var generous = SCTPSettings()
        generous.capabilities = [.partialReliability, .reconfiguration, .interleaving, .zeroChecksum]
        var plain = SCTPSettings()
        plain.capabilities = []
        let pair = SCTPPair(generous, second: plain)
        #expect(pair.connect())
        #expect(pair.first.association.peer?.capabilities == [] && pair.second.association.peer?.capabilities == [])
    }

    @Test func `numbers of streams are the lesser of what one asks and the other takes`() {
        var few = SCTPSettings()
        (few.outgoingStreams, few.incomingStreams) = (10, 20)
        let pair = SCTPPair(few)
        #expect(pair.connect())
        #expect(pair.first.association.outgoingStreams == 10 && pair.second.association.outgoingStreams == 10)
        #expect(pair.send(.text("x", on: 9)) == .queued && pair.send(.text("x", on: 10)) == .noSuchStream)
    }

    @Test func `packets with a wrong tag, port or checksum change nothing`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        pair.keepsSent = true
        #expect(pair.send(.text("hello")) == .queued)
        pair.exchange()
        let packet = try #require(pair.sent.last?.packet)
        let other = SCTPPair()
        #expect(other.connect())
        other.run(for: .seconds(1))
        for (offset, mends) in [(4, true), (0, true), (2, true), (20, false)] {
            var damaged = packet
            damaged[offset] ^= 1
            other.second.receive(mends ? Self.resealed(damaged) : damaged, at: other.now)
            #expect(other.second.takeMessages().isEmpty && other.second.packets(at: other.now).isEmpty)
        }
        #expect(other.second.association.counters.foreign == 3)
        #expect(other.second.association.counters.wrongChecksum == 1)
    }

    @Test func `an ABORT without the right tag ends nothing; with the peer's tag reflected it does`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let (own, theirs) = (pair.second.association.localTag, pair.first.association.localTag)
        for (tag, flags, ends) in [(own &+ 1, 0, false), (theirs, 0, false), (own, 1, false), (theirs, 1, true)]
            as [(UInt32, UInt8, Bool)]
        {
            let abort = try SCTPSamples.packet(tag: tag) { (writer) throws(WireError) in
                try writer.append(.abort, flags: flags)
            }
            pair.second.receive(abort, at: pair.now)
            #expect((pair.second.association.state == .closed) == ends)
        }
        #expect(pair.second.takeEvents().last == .closed(.abortedByPeer(nil)))
    }

    @Test func `a peer that begins again is known again, and gets what was under way whole`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        pair.filter = { _, _ in false }
        #expect(pair.send(.numbered(1, count: 5000), fromFirst: false) == .queued)
        pair.run(for: .milliseconds(50))
        pair.filter = nil
        // The first loses all it knows.
        pair.first.association = SCTPAssociation(secret: SCTPEndpoint.secret(77))
        pair.first.association.connect(at: pair.now)
        pair.run(for: .seconds(20))
        #expect(pair.second.takeEvents().contains(.restarted))
        #expect(pair.first.takeMessages() == [.numbered(1, count: 5000)])
        #expect(pair.send(.text("again")) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.second.takeMessages() == [.text("again")])
    }

    @Test func `INIT in an association changes nothing until its cookie comes back`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        let stranger = SCTPEndpoint(seed: 5)
        stranger.association.connect(at: pair.now)
        let initiation = try #require(stranger.packets(at: pair.now).first)
        pair.second.receive(initiation, at: pair.now)
        #expect(pair.second.packets(at: pair.now).count == 1)
        #expect(pair.send(.text("still here")) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.second.takeMessages() == [.text("still here")])
    }

    @Test func `an association without an answer is tried every few seconds, for as long as it takes`() {
        let pair = SCTPPair()
        pair.keepsSent = true
        pair.filter = { _, _ in false }
        pair.first.association.connect(at: pair.now)
        pair.run(for: .seconds(60))
        #expect((20...24).contains(pair.sent.count))
        pair.filter = nil
        pair.run(for: .seconds(5))
        #expect(pair.first.association.state == .established)
    }

    @Test func `with a limit of errors it gives up`() {
        var settings = SCTPSettings()
        settings.largestErrorCount = 3
        let pair = SCTPPair(settings)
        pair.filter = { _, _ in false }
        pair.first.association.connect(at: pair.now)
        pair.run(for: .seconds(60))
        #expect(pair.first.takeEvents() == [.closed(.unanswered)])
        #expect(pair.first.association.send(.text("late"), at: pair.now) == .closed)
    }

    @Test(arguments: [false, true]) func `without checksums where both offer that, and only there`(isOffered: Bool) {
        var settings = SCTPSettings()
        settings.capabilities.insert(.zeroChecksum)
        let pair = SCTPPair(settings, second: isOffered ? settings : SCTPSettings())
        pair.keepsSent = true
        #expect(pair.connect())
        #expect(pair.send(.text("hello")) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.second.takeMessages() == [.text("hello")])
        for (_, packet) in pair.sent {
            let isBare = packet[8..<12].allSatisfy { $0 == 0 }
            let mustHaveSum = [.initiation, .initiationAck, .cookieEcho].contains(Self.type(packet))
            if mustHaveSum || !isOffered { #expect(!isBare) }
            if Self.type(packet) == .data { #expect(isBare == isOffered) }
        }
    }

    // MARK: The end

    @Test func `what is under way arrives before an association is shut down`() {
        let pair = SCTPPair()
        #expect(pair.connect())
        #expect(pair.send(.numbered(1, count: 100_000)) == .queued)
        pair.first.association.shutDown(at: pair.now)
        #expect(pair.send(.text("too late")) == .closed)
        pair.run(for: .seconds(10))
        #expect(pair.second.takeMessages() == [.numbered(1, count: 100_000)])
        #expect(pair.first.takeEvents().last == .closed(.shutDown))
        #expect(pair.second.takeEvents().last == .closed(.shutDown))
    }

    @Test(arguments: 0..<3) func `a shutdown survives the loss of any of its packets`(lost: Int) {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        var count = 0
        pair.filter = { _, _ in
            defer { count += 1 }
            return count != lost
        }
        pair.first.association.shutDown(at: pair.now)
        pair.run(for: .seconds(30))
        #expect(pair.first.takeEvents().last == .closed(.shutDown))
        #expect(pair.second.takeEvents().last == .closed(.shutDown))
    }

    @Test func `both may shut down at once`() {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        pair.first.association.shutDown(at: pair.now)
        pair.second.association.shutDown(at: pair.now)
        pair.run(for: .seconds(10))
        #expect(pair.first.takeEvents().last == .closed(.shutDown))
        #expect(pair.second.takeEvents().last == .closed(.shutDown))
    }

    @Test func `an abort is heard by the other side, and a new association may begin`() {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.first.association.abort(at: pair.now)
        pair.run(for: .seconds(1))
        #expect(pair.first.takeEvents().last == .closed(.aborted))
        #expect(pair.second.takeEvents().last == .closed(.abortedByPeer(SCTPErrorCause.userAbort)))
        #expect(pair.connect())
    }
}
