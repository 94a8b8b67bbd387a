import Testing

@testable import RoundhouseMedia

/// A peer that has the right tags, and means harm: what it can bring about is bounded.
@Suite("Hostile SCTP peers")
struct SCTPAttackTests {
    /// An association whose peer is this test.
    private final class Victim {
        let pair: SCTPPair
        var tsn: TSN
        var endpoint: SCTPEndpoint { pair.second }
        var association: Int { endpoint.association.heldBytes }

        init(_ settings: SCTPSettings = SCTPSettings(), peer: SCTPSettings? = nil) {
            pair = SCTPPair(peer ?? settings, second: settings)
            _ = pair.connect()
            pair.run(for: .seconds(1))
            tsn = pair.first.association.localInitialTSN
            _ = endpoint.takeEvents()
        }

        func receive(_ body: (inout SCTPPacketWriter) throws(WireError) -> Void) throws {
            let packet = try SCTPSamples.packet(tag: endpoint.association.localTag, body)
            endpoint.receive(packet, at: pair.now)
        }

        /// As many chunks as fit into packets, each with so many bytes.
        func receive(_ headers: [SCTPDataHeader], count: Int) throws {
            let bytes = [UInt8](repeating: 1, count: count)
            let inPacket = (1188 - 12) / (headers[0].isInterleaved ? 20 : 16 + (count + 3) & ~3)
            for start in stride(from: 0, to: headers.count, by: max(inPacket, 1)) {
                try receive { (writer) throws(WireError) in
                    for header in headers[start..<min(start + inPacket, headers.count)] {
                        if writer.remaining >= 20 + (count + 3) & ~3 {
                            try header.write(bytes, 0..<bytes.count, into: &writer)
                        }
                    }
                }
            }
        }

        func data(
            _ offset: Int, stream: UInt16 = 0, number: UInt32 = 0, flags: SCTPDataHeader.Flags = []
        ) -> SCTPDataHeader {
            SCTPDataHeader(
                isInterleaved: false, tsn: tsn.advanced(by: offset), stream: stream, number: number, fragment: 0,
                payloadProtocol: .binary, flags: flags)
        }

        /// What must hold whatever came.
        var isBounded: Bool { endpoint.isSound }
    }

    private static func small(_ window: UInt32) -> SCTPSettings {
        var settings = SCTPSettings()
        settings.receiveWindow = window
        settings.largestReceivedMessage = 65_536
        return settings
    }

    @Test func `a million tiny fragments that never become messages fill the window and no more`() throws {
        let victim = Victim(Self.small(100_000))
        // Every second number, unordered, one byte each.
        for round in 0..<1000 {
            try victim.receive(
                (0..<50).map { victim.data(2 * (50 * round + $0) % 65_000 + 1, flags: .unordered) }, count: 1)
            #expect(victim.isBounded)
        }
        let held = victim.association
        #expect(held <= 100_000 + 2048)
        #expect(victim.endpoint.association.counters.dropped > 0)
    }

    @Test func `ordered messages whose first never comes fill the window and no more`() throws {
        let victim = Victim(Self.small(100_000))
        for number in 1..<5000 {
            let header = victim.data(number, number: UInt32(number), flags: [.beginning, .end])
            try victim.receive([header], count: 100)
        }
        #expect(victim.isBounded && victim.association <= 100_000 + 2048)
        #expect(victim.endpoint.messages.isEmpty)
    }

    /// In order, each chunk may be the one that makes room; a peer that uses this to fill memory loses its association.
    @Test func `messages in order that skip a number end the association when they are more than anyone may hold`()
        throws
    {
        let victim = Victim(Self.small(100_000))
        for number in 0..<5000 where victim.endpoint.association.state == .established {
            let header = victim.data(number, number: UInt32(number + 1), flags: [.beginning, .end])
            try victim.receive([header], count: 1000)
            #expect(victim.isBounded)
        }
        #expect(victim.endpoint.takeEvents() == [.closed(.outOfResource)])
        let abort = try #require(victim.endpoint.packets(at: victim.pair.now).last)
        #expect(abort[12] == SCTPChunkType.abort.rawValue)
    }

    @Test func `a message without an end is held to the largest message, acknowledged, and costs nothing more`() throws
    {
        let victim = Victim(Self.small(100_000))
        try victim.receive([victim.data(0, flags: .beginning)], count: 1000)
        for number in 1..<500 { try victim.receive([victim.data(number)], count: 1000) }
        #expect(victim.association <= SCTPFragmentRun.overhead)
        #expect(victim.endpoint.association.receiver.tsns.cumulative == victim.tsn.advanced(by: 499))
        try victim.receive([victim.data(500, flags: .end)], count: 10)
        try victim.receive([victim.data(501, number: 1, flags: [.beginning, .end])], count: 4)
        #expect(victim.endpoint.messages.count == 1 && victim.association == 0)
        #expect(victim.endpoint.association.oversizeMessages == 1)
    }

    @Test func `headers of I-DATA without content are charged like anything that is kept`() throws {
        var settings = Self.small(100_000)
        settings.capabilities.insert(.interleaving)
        let victim = Victim(settings)
        for number in 0..<20_000 {
            let header = SCTPDataHeader(
                isInterleaved: true, tsn: victim.tsn.advanced(by: number), stream: UInt16(number % 60_000),
                number: UInt32(number), fragment: UInt32(number) &* 77_777, payloadProtocol: .binary, flags: [])
            try victim.receive([header], count: 1)
            #expect(victim.isBounded)
            if victim.endpoint.association.state != .established { break }
        }
        #expect(victim.endpoint.takeEvents() == [.closed(.outOfResource)])
    }

    @Test func `a peer that contradicts itself hurts itself alone`() throws {
        let victim = Victim()
        // Two beginnings and two ends of one message, a number again, an end before its beginning.
        for (offset, flags) in [(0, .beginning), (1, .beginning), (2, .end), (3, .end), (2, .end), (4, [])]
            as [(Int, SCTPDataHeader.Flags)]
        {
            try victim.receive([victim.data(offset, flags: flags)], count: 4)
        }
        try victim.receive([victim.data(5, stream: 9, flags: [.beginning, .end])], count: 4)
        #expect(victim.endpoint.messages.map(\.stream) == [9] && victim.isBounded)
    }

    @Test func `fragments of I-DATA that overlap are not put together twice`() throws {
        var settings = SCTPSettings()
        settings.capabilities.insert(.interleaving)
        let victim = Victim(settings)
        for (offset, fragment, flags) in [(0, 0, .beginning), (1, 1, []), (2, 1, []), (3, 0, .beginning), (4, 2, .end)]
            as [(Int, UInt32, SCTPDataHeader.Flags)]
        {
            let header = SCTPDataHeader(
                isInterleaved: true, tsn: victim.tsn.advanced(by: offset), stream: 0, number: 0, fragment: fragment,
                payloadProtocol: .binary, flags: flags)
            try victim.receive([header], count: 10)
        }
        #expect(victim.endpoint.messages.map(\.payload.count) == [30] && victim.association == 0)
    }

    @Test func `duplicates by the thousand are acknowledged, with twenty named`() throws {
        let victim = Victim()
        for _ in 0..<1000 { try victim.receive([victim.data(0, flags: [.beginning, .end])], count: 4) }
        #expect(victim.endpoint.messages.count == 1 && victim.endpoint.association.counters.duplicates == 999)
        #expect(victim.endpoint.association.receiver.tsns.duplicates.count == SCTPReceivedTSNs.maximumDuplicates)
        let ack = try #require(victim.endpoint.packets(at: victim.pair.now).first)
        #expect(ack.count < 200)
    }

    // MARK: FORWARD-TSN

    private func forward(_ victim: Victim, _ offset: Int, _ skipped: [SCTPForwardTSN.Skipped] = []) throws {
        let forward = SCTPForwardTSN(
            isInterleaved: false, cumulative: victim.tsn.advanced(by: offset), skipped: skipped)
        try victim.receive { (writer) throws(WireError) in try forward.write(into: &writer) }
    }

    @Test func `FORWARD-TSN far ahead is not believed`() throws {
        let victim = Victim()
        for offset in [70_000, 1 << 30, -5, Int(Int32.max)] { try forward(victim, offset) }
        #expect(victim.endpoint.association.receiver.tsns.cumulative == victim.tsn.previous)
        #expect(victim.endpoint.association.counters.dropped >= 2)
        try victim.receive([victim.data(0, flags: [.beginning, .end])], count: 4)
        #expect(victim.endpoint.messages.count == 1)
    }

    @Test func `FORWARD-TSN that skips streams again and again costs what it lists`() throws {
        let victim = Victim()
        for round in 0..<200 {
            let skipped = (0..<280).map { (index: Int) -> SCTPForwardTSN.Skipped in
                let number = UInt32(truncatingIfNeeded: round * 30_000) & 0xFFFF
                return SCTPForwardTSN.Skipped(
                    stream: UInt16((round * 280 + index) % 65_000), isUnordered: false, number: number)
            }
            try forward(victim, round * 300, skipped)
        }
        #expect(victim.isBounded && victim.association == 0)
    }

    @Test func `FORWARD-TSN and the wrong kind of data end an association that has not agreed on them`() throws {
        var plain = SCTPSettings()
        plain.capabilities = []
        let victim = Victim(plain)
        try forward(victim, 1)
        #expect(victim.endpoint.takeEvents() == [.closed(.protocolViolation)])
        let other = Victim()
        let header = SCTPDataHeader(
            isInterleaved: true, tsn: other.tsn, stream: 0, number: 0, fragment: 0, payloadProtocol: .binary,
            flags: [.beginning, .end])
        try other.receive([header], count: 4)
        #expect(other.endpoint.takeEvents() == [.closed(.protocolViolation)])
    }

    @Test func `a chunk of data without data ends the association`() throws {
        let victim = Victim()
        try victim.receive { (writer) throws(WireError) in try victim.data(0).write([], 0..<0, into: &writer) }
        #expect(victim.endpoint.takeEvents() == [.closed(.protocolViolation)])
    }

    // MARK: Other floods

    @Test func `heartbeats are echoed ten times a second, and never longer than a packet`() throws {
        let victim = Victim()
        for _ in 0..<1000 {
            try victim.receive { (writer) throws(WireError) in
                try writer.append(.heartbeat, value: [UInt8](repeating: 0, count: 1000))
            }
        }
        #expect(victim.endpoint.packets(at: victim.pair.now).count <= 11)
        #expect(victim.endpoint.association.counters.overQuota == 990)
    }

    @Test func `streams beyond those agreed on are acknowledged, refused ten times a second, and not kept`() throws {
        var few = SCTPSettings()
        few.incomingStreams = 4
        let victim = Victim(few, peer: SCTPSettings())
        for number in 0..<100 {
            try victim.receive([victim.data(number, stream: 4, flags: [.beginning, .end])], count: 4)
        }
        #expect(victim.endpoint.messages.isEmpty)
        #expect(victim.endpoint.association.receiver.tsns.cumulative == victim.tsn.advanced(by: 99))
        #expect(victim.endpoint.packets(at: victim.pair.now).count <= 11)
    }

    @Test func `chunks that nobody knows are reported, skipped or the end of their packet, as their type says`() throws
    {
        for (type, isReported, goesOn) in [
            (0x20, false, false), (0x60, true, false), (0xA0, false, true), (0xE0, true, true),
        ]
            as [(UInt8, Bool, Bool)]
        {
            let victim = Victim()
            try victim.receive { (writer) throws(WireError) in
                try writer.append(SCTPChunkType(rawValue: type), value: [UInt8](repeating: 5, count: 900))
                try victim.data(0, flags: [.beginning, .end]).write([1], 0..<1, into: &writer)
            }
            #expect(victim.endpoint.messages.isEmpty != goesOn)
            let reports = victim.endpoint.packets(at: victim.pair.now).filter { $0[12] == SCTPChunkType.error.rawValue }
            #expect(reports.isEmpty != isReported)
            #expect(reports.allSatisfy { $0.count < 300 })
        }
    }

    @Test func `optimistic and crafted acknowledgements send nothing that was not sent`() throws {
        let victim = Victim()
        for number in 0..<50 { #expect(victim.pair.send(.numbered(number, count: 1000), fromFirst: false) == .queued) }
        victim.pair.filter = { _, _ in false }
        victim.pair.exchange()
        var random = SplitMix(seed: 3)
        for _ in 0..<5000 {
            let ack = SCTPSelectiveAck(
                cumulative: victim.endpoint.association.sender.cumulative.advanced(by: random.below(40) - 10),
                window: UInt32(truncatingIfNeeded: random.next()),
                blocks: (0..<random.below(20)).map { _ in
                    SCTPSelectiveAck.Block(
                        start: UInt16(random.below(20)), end: UInt16(random.isOne(in: 9) ? 65_535 : random.below(20)))
                })
            try victim.receive { (writer) throws(WireError) in try ack.write(into: &writer) }
            _ = victim.endpoint.packets(at: victim.pair.now)
            let sender = victim.endpoint.association.sender
            #expect(sender.outstanding.flight >= 0 && victim.isBounded)
            #expect(Int(sender.congestion.window) <= 10 * 1176 + 51 * 1176)
        }
    }

    /// Damage of every kind to what two associations say, with checksums made good: nothing traps, nothing grows.
    @Test(arguments: 1...6) func `conversations that are damaged on the way never trap`(seed: Int) {
        var settings = Self.small(60_000)
        if seed % 2 == 0 { settings.capabilities.insert(.interleaving) }
        // Checksums are left out, so that damage reaches the association.
        settings.capabilities.insert(.zeroChecksum)
        let pair = SCTPPair(settings, seed: UInt64(seed))
        #expect(pair.connect())
        var random = SplitMix(seed: UInt64(seed))
        pair.filter = { isFromFirst, packet in
            guard random.isOne(in: 4) else { return true }
            var damaged = packet
            for _ in 0...random.below(3) {
                damaged[12 + random.below(damaged.count - 12)] = UInt8(truncatingIfNeeded: random.next())
            }
            (isFromFirst ? pair.second : pair.first).receive(damaged, at: pair.now)
            return random.isOne(in: 2)
        }
        for number in 0..<300 {
            let reliability = [SCTPReliability.reliable, .retransmissions(0), .lifetime(.milliseconds(50))][number % 3]
            let message = SCTPMessage.numbered(
                number, count: 4 + random.below(5000), on: UInt16(number % 5), isUnordered: number % 2 == 0)
            _ = pair.send(message, reliability, fromFirst: random.isOne(in: 2))
            if random.isOne(in: 20) { _ = pair.first.association.resetStreams([UInt16(number % 5)], at: pair.now) }
            pair.run(for: .milliseconds(20))
            if pair.first.association.state == .closed { pair.first.association.connect(at: pair.now) }
            #expect(pair.isSound)
        }
    }
}
