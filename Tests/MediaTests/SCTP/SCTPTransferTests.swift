import Testing

@testable import RoundhouseMedia

/// RFC 9260 §6 and §7: what is acknowledged, sent again and held back, and when.
@Suite("Messages over SCTP")
struct SCTPTransferTests {
    private func connected(_ settings: SCTPSettings = SCTPSettings()) -> SCTPPair {
        let pair = SCTPPair(settings)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        pair.keepsSent = true
        return pair
    }

    /// Chunks of a type in the packets that one side sent.
    private func count(_ type: SCTPChunkType, fromFirst: Bool, in pair: SCTPPair) -> Int {
        pair.sent.filter { $0.isFromFirst == fromFirst }.reduce(0) { $0 + Self.chunks(in: $1.packet, type).count }
    }

    /// Offsets of chunks.
    static func chunks(in packet: [UInt8], _ type: SCTPChunkType) -> [Int] {
        var (offset, found) = (12, [Int]())
        while offset + 4 <= packet.count {
            if packet[offset] == type.rawValue { found.append(offset) }
            offset += (Int(packet[offset + 2]) << 8 + Int(packet[offset + 3]) + 3) & ~3
        }
        return found
    }

    @Test(arguments: [false, true]) func `messages of every size arrive whole and in order`(isInterleaved: Bool) {
        var settings = SCTPSettings()
        if isInterleaved { settings.capabilities.insert(.interleaving) }
        let pair = connected(settings)
        let sizes = [4, 5, 1159, 1160, 1161, 2320, 16_384, 65_535, 65_536, 262_144]
        for (number, size) in sizes.enumerated() {
            #expect(pair.send(.numbered(number, count: size)) == .queued)
        }
        #expect(pair.run(atMost: .seconds(20)) { pair.second.messages.count == sizes.count })
        #expect(pair.second.messages == sizes.enumerated().map { .numbered($0, count: $1) })
        #expect(pair.isSound)
    }

    @Test func `no packet is longer than the settings say`() {
        let pair = connected()
        for number in 0..<20 { #expect(pair.send(.numbered(number, count: 3000)) == .queued) }
        pair.run(for: .seconds(5))
        #expect(pair.sent.allSatisfy { $0.packet.count <= 1188 && $0.packet.count % 4 == 0 })
        #expect(pair.sent.contains { $0.packet.count == 1188 })
    }

    @Test func `every second packet is acknowledged at once, a single one after 200 ms at most`() {
        var settings = SCTPSettings()
        settings.packetLength = 400
        let pair = connected(settings)
        // Enough for the window to be wide, since chunks of a thin one want their acknowledgement at once.
        for number in 0..<300 { #expect(pair.send(.numbered(number, count: 300)) == .queued) }
        pair.run(for: .seconds(5))
        let before = count(.selectiveAck, fromFirst: false, in: pair)
        let data = count(.data, fromFirst: true, in: pair)
        #expect(before * 2 <= data + 60)
        let begin = pair.now
        #expect(pair.send(.numbered(1, count: 4)) == .queued)
        #expect(pair.run(atMost: .seconds(1)) { count(.selectiveAck, fromFirst: false, in: pair) > before })
        #expect(pair.now - begin >= .milliseconds(10) && pair.now - begin <= .milliseconds(211))
    }

    @Test(arguments: [false, true])
    func `a lost packet is sent again after three later ones have arrived, without a timer`(
        readsBursts: Bool
    ) {
        let pair = connected()
        pair.readsBursts = readsBursts
        for number in 0..<8 { #expect(pair.send(.numbered(number, count: 1160)) == .queued) }
        var lost = false
        pair.filter = { isFromFirst, packet in
            guard isFromFirst, !lost else { return true }
            lost = true
            return false
        }
        let begin = pair.now
        #expect(pair.run(atMost: .seconds(5)) { pair.second.messages.count == 8 })
        #expect(pair.now - begin < .milliseconds(300))
        #expect(pair.first.association.retransmittedChunks == 1 && pair.first.association.sender.errors == 0)
        #expect(pair.second.messages.map(\.number) == Array(0..<8))
    }

    @Test func `the last packet's loss is found by the timer, which doubles`() {
        let pair = connected()
        pair.filter = { isFromFirst, _ in !isFromFirst }
        let begin = pair.now
        #expect(pair.send(.text("lost")) == .queued)
        pair.run(for: .seconds(20))
        let times = pair.sent.filter(\.isFromFirst).count
        // 0.4, 0.8, 1.6, then every three seconds.
        #expect((7...10).contains(times), "\(times)")
        pair.filter = nil
        #expect(pair.run(atMost: .seconds(4)) { !pair.second.messages.isEmpty })
        #expect(pair.now - begin < .seconds(24))
    }

    @Test(arguments: [false, true]) func `the window doubles in slow start, and halves when a packet is lost`(
        readsBursts: Bool
    ) {
        let pair = connected()
        pair.readsBursts = readsBursts
        let before = pair.first.association.congestionWindow
        #expect(before == 10 * 1176)
        for number in 0..<200 { #expect(pair.send(.numbered(number, count: 4640)) == .queued) }
        _ = pair.run(atMost: .seconds(20)) { pair.second.messages.count >= 100 }
        let wide = pair.first.association.congestionWindow
        #expect(wide > 3 * before)
        var lost = false
        pair.filter = { isFromFirst, _ in
            guard isFromFirst, !lost else { return true }
            lost = true
            return false
        }
        #expect(pair.run(atMost: .seconds(20)) { pair.second.messages.count == 200 })
        #expect(pair.first.association.congestionWindow < wide)
    }

    @Test func `at most four packets go out on one occasion`() {
        let pair = connected()
        for number in 0..<50 { #expect(pair.send(.numbered(number, count: 1160)) == .queued) }
        pair.exchange()
        #expect(pair.sent.count == 4)
    }

    @Test func `an acknowledgement of what was never sent is ignored`() throws {
        let pair = connected()
        #expect(pair.send(.text("one")) == .queued)
        pair.exchange()
        let sender = pair.first.association.sender
        let tag = pair.first.association.localTag
        let next = sender.outstanding.next
        for ack in [
            SCTPSelectiveAck(cumulative: next, window: 9),
            SCTPSelectiveAck(cumulative: sender.cumulative.previous, window: 9),
            SCTPSelectiveAck(cumulative: sender.cumulative, window: 9, blocks: [.init(start: 1, end: 9)]),
            SCTPSelectiveAck(cumulative: sender.cumulative.advanced(by: 1 << 30), window: 9),
        ] {
            let packet = try SCTPSamples.packet(tag: tag) { (writer) throws(WireError) in
                try ack.write(into: &writer)
            }
            pair.first.receive(packet, at: pair.now)
        }
        #expect(pair.first.association.counters.ignored >= 4)
        #expect(pair.first.association.sender.outstanding.count == 1)
        pair.run(for: .seconds(1))
        #expect(pair.first.association.sender.outstanding.isEmpty)
    }

    @Test func `a chunk that a peer acknowledged and then forgot is sent again`() throws {
        let pair = connected()
        for number in 0..<3 { #expect(pair.send(.numbered(number, count: 1160)) == .queued) }
        pair.filter = { _, _ in false }
        pair.exchange()
        let tag = pair.first.association.localTag
        let cumulative = pair.first.association.sender.cumulative
        for blocks in [[SCTPSelectiveAck.Block(start: 2, end: 3)], []] {
            let ack = SCTPSelectiveAck(cumulative: cumulative, window: 100_000, blocks: blocks)
            let packet = try SCTPSamples.packet(tag: tag) { (writer) throws(WireError) in
                try ack.write(into: &writer)
            }
            pair.first.receive(packet, at: pair.now)
            #expect(pair.first.association.sender.outstanding.flightCount == (blocks.isEmpty ? 3 : 1))
        }
        pair.filter = nil
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.map(\.number) == [0, 1, 2])
    }

    @Test func `a quiet association is asked for signs of life every half minute`() {
        let pair = connected()
        pair.run(for: .seconds(100))
        #expect((3...4).contains(count(.heartbeat, fromFirst: true, in: pair)))
        #expect(count(.heartbeatAck, fromFirst: false, in: pair) == count(.heartbeat, fromFirst: true, in: pair))
        #expect(pair.first.association.roundTrip == .milliseconds(20))
    }

    @Test func `numbers go round their circles`() throws {
        let pair = connected()
        // 70,000 messages on one stream pass the largest stream sequence number.
        var sent = 0
        #expect(
            pair.run(atMost: .seconds(400)) {
                while sent < 70_000, pair.first.association.bufferedAmount < 100_000 {
                    _ = pair.first.association.send(.numbered(sent, count: 4), at: pair.now)
                    sent += 1
                }
                return pair.second.messages.count == 70_000
            })
        #expect(pair.second.messages.map(\.number) == Array(0..<70_000))
    }

    @Test func `transmission sequence numbers go round`() throws {
        // Until a draw is near the circle's end it would take long: the tracker and the ring are asked themselves.
        var received = SCTPReceivedTSNs(before: TSN(UInt32.max - 2))
        var outstanding = SCTPOutstandingChunks(first: TSN(UInt32.max - 2), isInterleaved: false)
        for offset in [0, 2, 1, 5, 4] { received.insert(TSN(UInt32.max - 2).advanced(by: offset)) }
        #expect(received.cumulative == TSN(UInt32.max))
        #expect(received.runs == [SCTPReceivedTSNs.Run(first: TSN(1), last: TSN(2))])
        received.insert(TSN(0))
        #expect(received.cumulative == TSN(2) && !received.hasGap)
        let chunk = SCTPOutstandingChunk(
            message: 0, offset: 0, length: 1, fragment: 0, flags: [], sentAt: MediaInstant(nanoseconds: 0))
        for _ in 0..<20 { outstanding.append(chunk) }
        for _ in 0..<5 { _ = outstanding.removeFirst() }
        #expect(outstanding.first == TSN(2) && outstanding.next == TSN(17) && outstanding.flightCount == 15)
    }

    // MARK: Buffers

    @Test func `a full buffer takes nothing more, and says when it has come down`() {
        var settings = SCTPSettings()
        settings.sendBuffer = 50_000
        settings.streamSendBuffer = 30_000
        let pair = connected(settings)
        pair.first.association.setBufferedAmountLowThreshold(10_000, of: 1)
        for number in 0..<3 { #expect(pair.send(.numbered(number, count: 10_000)) == .queued) }
        #expect(pair.send(.numbered(4, count: 10_000)) == .bufferFull)
        #expect(pair.send(.numbered(5, count: 20_000, on: 2)) == .queued)
        #expect(pair.send(.numbered(6, count: 1000, on: 3)) == .bufferFull)
        #expect(pair.first.association.bufferedAmount(on: 1) == 30_000)
        pair.run(for: .seconds(5))
        #expect(pair.first.takeEvents().contains(.bufferedAmountLow(stream: 1)))
        #expect(pair.first.association.bufferedAmount == 0 && pair.second.messages.count == 4)
    }

    @Test func `messages that are empty or too long are refused`() {
        let pair = connected()
        #expect(pair.send(.text("")) == .empty)
        #expect(pair.send(.numbered(1, count: 262_145)) == .tooLarge)
    }

    @Test func `a message above the receiver's limit is thrown away, and the next one arrives`() {
        var small = SCTPSettings()
        small.largestReceivedMessage = 10_000
        let pair = SCTPPair(SCTPSettings(), second: small)
        #expect(pair.connect())
        for (number, size) in [100, 10_001, 50_000, 200].enumerated() {
            #expect(pair.send(.numbered(number, count: size)) == .queued)
            #expect(pair.send(.numbered(number, count: size, on: 2, isUnordered: true)) == .queued)
        }
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.filter { $0.stream == 1 }.map(\.number) == [0, 3])
        #expect(pair.second.messages.filter { $0.stream == 2 }.map(\.number) == [0, 3])
        #expect(pair.second.association.oversizeMessages == 4 && pair.second.association.heldBytes == 0)
    }

    @Test func `streams take turns: a long queue on one does not hold back another`() {
        let pair = connected()
        for number in 0..<100 { #expect(pair.send(.numbered(number, count: 10_000)) == .queued) }
        pair.run(for: .milliseconds(1))
        #expect(pair.send(.numbered(1000, count: 100, on: 2)) == .queued)
        #expect(pair.run(atMost: .seconds(10)) { pair.second.messages.contains { $0.stream == 2 } })
        #expect(pair.second.messages.count < 10)
    }

    @Test func `interleaved streams share by priority, and a long message holds none back`() {
        var settings = SCTPSettings()
        settings.capabilities.insert(.interleaving)
        let pair = connected(settings)
        pair.first.association.setPriority(1024, of: 2)
        for stream in 1...2 as ClosedRange<UInt16> {
            for number in 0..<3 { #expect(pair.send(.numbered(number, count: 200_000, on: stream)) == .queued) }
        }
        pair.run(for: .milliseconds(150))
        let left = (1...2).map { 600_000 - pair.first.association.bufferedAmount(on: UInt16($0)) }
        #expect(left[1] > 3 * left[0] && left[0] > 0, "\(left)")
        #expect(pair.send(.text("short", on: 3)) == .queued)
        #expect(pair.run(atMost: .milliseconds(100)) { pair.second.messages.contains { $0.stream == 3 } })
    }

    // MARK: Windows

    /// The trouble that stacks have had most: a window full of what cannot be delivered, and what would complete it kept out.
    @Test(arguments: [false, true]) func `a window full of fragments opens again when the missing one comes`(
        isInterleaved: Bool
    ) {
        var small = SCTPSettings()
        small.receiveWindow = 20_000
        if isInterleaved { small.capabilities.insert(.interleaving) }
        let pair = connected(small)
        var lost = 0
        pair.filter = { isFromFirst, packet in
            let type = isInterleaved ? SCTPChunkType.interleavedData : .data
            guard isFromFirst, !Self.chunks(in: packet, type).isEmpty, lost < 4 else { return true }
            lost += 1
            return lost > 1
        }
        for number in 0..<4 { #expect(pair.send(.numbered(number, count: 50_000)) == .queued) }
        #expect(pair.run(atMost: .seconds(120)) { pair.second.messages.count == 4 })
        #expect(pair.isSound && pair.second.association.heldBytes == 0)
    }

    @Test func `a peer without room is asked less and less often, and nothing ends while it answers`() throws {
        let pair = connected()
        let tag = pair.first.association.localTag
        var asked: [MediaInstant] = []
        pair.filter = { isFromFirst, _ in
            if isFromFirst { asked.append(pair.now) }
            return false
        }
        func shut() throws {
            let ack = SCTPSelectiveAck(cumulative: pair.first.association.sender.cumulative, window: 0)
            let packet = try SCTPSamples.packet(tag: tag) { (writer) throws(WireError) in
                try ack.write(into: &writer)
            }
            pair.first.receive(packet, at: pair.now)
        }
        try shut()
        #expect(pair.send(.numbered(1, count: 10_000)) == .queued)
        for _ in 0..<600 {
            pair.run(for: .seconds(1))
            try shut()
        }
        #expect((8...30).contains(asked.count), "\(asked.count)")
        #expect(pair.first.association.state == .established)
        pair.filter = nil
        // The peer says that there is room again.
        let ack = SCTPSelectiveAck(cumulative: pair.first.association.sender.cumulative, window: 100_000)
        let packet = try SCTPSamples.packet(tag: tag) { (writer) throws(WireError) in try ack.write(into: &writer) }
        pair.first.receive(packet, at: pair.now)
        pair.run(for: .seconds(62))
        #expect(pair.second.messages.map(\.number) == [1])
    }
}
