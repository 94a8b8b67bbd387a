import Testing

@testable import RoundhouseMedia

/// RFC 6525: streams that begin again, and more of them.
@Suite("SCTP's stream resets")
struct SCTPResetTests {
    private func connected(_ settings: SCTPSettings = SCTPSettings(), second: SCTPSettings? = nil) -> SCTPPair {
        let pair = SCTPPair(settings, second: second)
        #expect(pair.connect())
        pair.run(for: .seconds(1))
        _ = (pair.first.takeEvents(), pair.second.takeEvents())
        return pair
    }

    private func reset(_ streams: [UInt16], _ pair: SCTPPair) -> Bool {
        pair.first.association.resetStreams(streams, at: pair.now)
    }

    private func add(_ count: UInt16, _ pair: SCTPPair) -> Bool {
        pair.first.association.addOutgoingStreams(count)
    }

    @Test func `a stream that is reset begins at 0 again on both sides`() {
        let pair = connected()
        for number in 0..<5 { #expect(pair.send(.numbered(number, count: 100)) == .queued) }
        pair.run(for: .seconds(1))
        #expect(reset([1], pair))
        // What comes after the wish waits for the reset.
        #expect(pair.send(.numbered(5, count: 100)) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.first.takeEvents() == [.outgoingStreamsReset([1])])
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([1])])
        #expect(pair.second.messages.map(\.number) == Array(0..<6))
        #expect(pair.first.association.sender.queue.streams[1]?.nextOrdered == 1)
    }

    @Test func `what has begun to be sent is finished first, and what has not is dropped`() {
        let pair = connected()
        for number in 0..<3 { #expect(pair.send(.numbered(number, count: 100_000)) == .queued) }
        pair.exchange()
        #expect(reset([1], pair))
        pair.run(for: .seconds(5))
        #expect(pair.second.messages.map(\.number) == [0])
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([1])])
        #expect(pair.first.takeEvents() == [.outgoingStreamsReset([1])])
    }

    @Test(arguments: 0..<10) func `a reset waits for what was sent before, whichever packet is lost`(lost: Int) {
        let pair = connected()
        var count = 0
        pair.filter = { _, _ in
            defer { count += 1 }
            return count != lost
        }
        for number in 0..<4 { #expect(pair.send(.numbered(number, count: 1160)) == .queued) }
        pair.exchange()
        #expect(reset([1], pair))
        #expect(pair.send(.numbered(4, count: 100)) == .queued)
        pair.run(for: .seconds(20))
        #expect(pair.second.messages.map(\.number) == Array(0..<5))
        #expect(pair.first.takeEvents() == [.outgoingStreamsReset([1])])
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([1])])
    }

    @Test func `both sides may reset at once, and many streams, one request at a time`() {
        let pair = connected()
        for stream in 0..<600 as Range<UInt16> {
            #expect(pair.send(.text("a", on: stream)) == .queued)
            #expect(pair.send(.text("b", on: stream), fromFirst: false) == .queued)
        }
        pair.run(for: .seconds(2))
        #expect(reset(Array(0..<600), pair))
        let isTaken = pair.second.association.resetStreams([3, 4], at: pair.now)
        #expect(isTaken)
        pair.run(for: .seconds(10))
        let streams = pair.first.takeEvents().flatMap { event -> [UInt16] in
            if case .outgoingStreamsReset(let streams) = event { streams } else { [] }
        }
        #expect(streams.sorted() == Array(0..<600))
        #expect(pair.second.takeEvents().contains(.outgoingStreamsReset([3, 4])))
    }

    @Test func `a peer without resets is not asked`() {
        var plain = SCTPSettings()
        plain.capabilities = []
        let pair = connected(SCTPSettings(), second: plain)
        #expect(!reset([1], pair))
        #expect(!add(1, pair))
    }

    @Test func `streams are added when there is room for them`() {
        var few = SCTPSettings()
        (few.outgoingStreams, few.incomingStreams) = (10, 10)
        let pair = connected(few)
        #expect(pair.send(.text("x", on: 12)) == .noSuchStream)
        #expect(add(5, pair))
        pair.run(for: .seconds(1))
        #expect(pair.first.takeEvents() == [.outgoingStreams(15)])
        #expect(pair.send(.text("x", on: 12)) == .queued)
        pair.run(for: .seconds(1))
        #expect(pair.second.messages.map(\.stream) == [12])
        #expect(!add(65_530, pair))
    }

    // MARK: What a peer asks

    /// What a request of the peer's is answered.
    private func answer(
        to parameter: SCTPReconfiguration.Parameter, _ pair: SCTPPair
    ) throws -> SCTPReconfiguration.Result? {
        let packet = try SCTPSamples.packet(tag: pair.second.association.localTag) { (writer) throws(WireError) in
            try SCTPReconfiguration([parameter]).write(into: &writer)
        }
        pair.second.receive(packet, at: pair.now)
        for packet in pair.second.packets(at: pair.now) where packet[12] == SCTPChunkType.reconfiguration.rawValue {
            let content = try SCTPSamples.withChunk(packet) { try SCTPReconfiguration(parsing: $0) }
            if case .response(_, let result) = try #require(content.parameters.first) { return result }
        }
        return nil
    }

    @Test func `requests are taken in order, and answered again when they are repeated`() throws {
        let pair = connected()
        let first = pair.first.association.localInitialTSN
        let last = pair.second.association.receiver.tsns.cumulative
        func request(_ offset: Int, _ streams: [UInt16] = [1]) -> SCTPReconfiguration.Parameter {
            .outgoingReset(request: first.advanced(by: offset), response: TSN(0), lastAssigned: last, streams: streams)
        }
        #expect(try answer(to: request(1), pair) == .badSequenceNumber)
        #expect(try answer(to: request(0), pair) == .performed)
        #expect(try answer(to: request(0), pair) == .performed)
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([1])])
        #expect(try answer(to: request(1, []), pair) == .performed)
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([])])
        #expect(try answer(to: .tsnReset(request: first.advanced(by: 2)), pair) == .denied)
        #expect(try answer(to: .addIncomingStreams(request: first.advanced(by: 3), count: 1), pair) == .denied)
        #expect(try answer(to: .addOutgoingStreams(request: first.advanced(by: 4), count: 1), pair) == .denied)
        #expect(try answer(to: .incomingReset(request: first.advanced(by: 5), streams: [9]), pair) == .nothingToDo)
    }

    @Test func `a reset before its data is in progress; one for what nobody could have sent is denied`() throws {
        let pair = connected()
        let first = pair.first.association.localInitialTSN
        let last = pair.second.association.receiver.tsns.cumulative
        func request(_ offset: Int, _ ahead: Int, _ stream: UInt16) -> SCTPReconfiguration.Parameter {
            .outgoingReset(
                request: first.advanced(by: offset), response: TSN(0), lastAssigned: last.advanced(by: ahead),
                streams: [stream])
        }
        #expect(try answer(to: request(0, 100_000, 1), pair) == .denied)
        #expect(try answer(to: request(1, 3, 1), pair) == .inProgress)
        #expect(try answer(to: request(1, 3, 1), pair) == .inProgress)
        // Under a new number, as some send it; another one has to wait.
        #expect(try answer(to: request(2, 3, 1), pair) == .inProgress)
        #expect(try answer(to: request(3, 3, 2), pair) == .requestInProgress)
        #expect(pair.second.takeEvents().isEmpty)
        for number in 0..<3 { #expect(pair.send(.numbered(number, count: 4)) == .queued) }
        pair.run(for: .seconds(1))
        #expect(pair.second.takeEvents() == [.incomingStreamsReset([1])])
    }

    @Test func `a wish that our streams be reset is granted`() throws {
        let pair = connected()
        #expect(pair.send(.text("x", on: 7), fromFirst: false) == .queued)
        pair.run(for: .seconds(1))
        let request = SCTPReconfiguration.Parameter.incomingReset(
            request: pair.first.association.localInitialTSN, streams: [7])
        #expect(try answer(to: request, pair) == .performed)
        pair.run(for: .seconds(1))
        #expect(pair.second.takeEvents() == [.outgoingStreamsReset([7])])
    }

    @Test func `a flood of resets is answered a hundred times a second`() throws {
        let pair = connected()
        var answers = 0
        for _ in 0..<1000 {
            let request = SCTPReconfiguration.Parameter.tsnReset(request: pair.first.association.localInitialTSN)
            if try answer(to: request, pair) != nil { answers += 1 }
        }
        #expect(answers == 100 && pair.second.association.counters.overQuota == 900)
    }
}
