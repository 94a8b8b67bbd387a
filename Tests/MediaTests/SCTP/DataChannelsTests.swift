import Testing

@testable import RoundhouseMedia

/// RFC 8831 and 8832 between two sides: the client of DTLS, and its server.
@Suite("Data channels")
struct DataChannelsTests {
    /// Two sides with an association between them.
    private final class Channels {
        let pair: SCTPPair
        var client = DataChannels(isClient: true)
        var server = DataChannels(isClient: false)
        var clientEvents: [DataChannelEvent] = []
        var serverEvents: [DataChannelEvent] = []

        init(_ settings: SCTPSettings = SCTPSettings(), path: SCTPPair.Path = SCTPPair.Path(), seed: UInt64 = 1) {
            pair = SCTPPair(settings, path: path, seed: seed)
            _ = pair.connect()
            run(.seconds(1))
        }

        func run(_ duration: MediaDuration) {
            let end = pair.now + duration
            repeat { settle() } while pair.step(until: end)
            settle()
        }

        private func settle() {
            for event in pair.first.takeAll() { client.received(event, from: &pair.first.association, at: pair.now) }
            for event in pair.second.takeAll() { server.received(event, from: &pair.second.association, at: pair.now) }
            while let event = client.pollEvent() { clientEvents.append(event) }
            while let event = server.pollEvent() { serverEvents.append(event) }
        }

        func open(_ open: DataChannelOpen, id: UInt16? = nil, byClient: Bool = true) -> UInt16? {
            byClient
                ? client.open(open, id: id, on: &pair.first.association, at: pair.now)
                : server.open(open, id: id, on: &pair.second.association, at: pair.now)
        }

        func send(_ text: String, on id: UInt16, byClient: Bool = true) -> SCTPSendResult {
            let message = DataChannelMessage(isText: true, payload: Array(text.utf8))
            return byClient
                ? client.send(message, on: id, to: &pair.first.association, at: pair.now)
                : server.send(message, on: id, to: &pair.second.association, at: pair.now)
        }

        func close(_ id: UInt16) { client.close(id, on: &pair.first.association, at: pair.now) }

        /// The client says this on a stream, whatever the channels think.
        func say(_ payload: [UInt8], as kind: PayloadProtocol, on stream: UInt16) -> SCTPSendResult {
            pair.send(SCTPMessage(stream: stream, payloadProtocol: kind, payload: payload))
        }
    }

    @Test func `a channel is opened, answered, used from both sides and closed`() throws {
        let channels = Channels()
        let open = DataChannelOpen(
            label: "chat", subprotocol: "json", isOrdered: false, reliability: .retransmissions(1))
        let id = try #require(channels.open(open))
        // Messages may follow at once, and none overtakes the opening.
        #expect(channels.send("first", on: id) == .queued)
        channels.run(.seconds(1))
        #expect(channels.serverEvents == [.opened(0, open), .messageReceived(0, text("first"))])
        #expect(channels.clientEvents == [.acknowledged(0)])
        #expect(channels.send("answer", on: id, byClient: false) == .queued)
        channels.run(.seconds(1))
        #expect(channels.clientEvents.last == .messageReceived(0, text("answer")))
        channels.close(id)
        #expect(channels.send("late", on: id) == .closed)
        channels.run(.seconds(2))
        #expect(channels.clientEvents.last == .closed(0) && channels.serverEvents.last == .closed(0))
        #expect(channels.client.channels.isEmpty && channels.server.channels.isEmpty)
    }

    private func text(_ text: String) -> DataChannelMessage {
        DataChannelMessage(isText: true, payload: Array(text.utf8))
    }

    @Test func `the client has even numbers, the server odd ones, and both use free ones again`() {
        let channels = Channels()
        let open = DataChannelOpen(label: "x")
        #expect((0..<3).map { _ in channels.open(open) } == [0, 2, 4])
        #expect((0..<2).map { _ in channels.open(open, byClient: false) } == [1, 3])
        channels.run(.seconds(1))
        channels.close(2)
        channels.run(.seconds(2))
        #expect(channels.open(open) == 2)
        channels.run(.seconds(1))
        #expect(channels.serverEvents.filter { $0 == .opened(2, open) }.count == 2)
    }

    @Test func `a thousand channels are opened and closed one after the other, and leave nothing`() throws {
        let channels = Channels(path: SCTPPair.Path(loss: 20, delay: .milliseconds(2)))
        for number in 0..<1000 {
            let id = try #require(channels.open(DataChannelOpen(label: "\(number)")))
            #expect(channels.send("hello", on: id) == .queued)
            channels.run(.milliseconds(30))
            channels.close(id)
        }
        channels.run(.seconds(30))
        #expect(channels.client.channels.isEmpty && channels.server.channels.isEmpty)
        #expect(channels.pair.first.association.sender.queue.streams.allSatisfy { $0.value.first < 0 })
        #expect(channels.serverEvents.filter { if case .messageReceived = $0 { true } else { false } }.count == 1000)
    }

    @Test func `messages are text or binary, and may be empty`() throws {
        let channels = Channels()
        let id = try #require(channels.open(DataChannelOpen(label: "x"), id: 6))
        #expect(channels.open(DataChannelOpen(label: "x"), id: 6, byClient: false) == 6)
        let messages = [
            DataChannelMessage(isText: true, payload: []), DataChannelMessage(isText: false, payload: []),
            DataChannelMessage(isText: false, payload: [0]), text("ä"),
        ]
        for message in messages {
            let result = channels.client.send(
                message, on: id, to: &channels.pair.first.association, at: channels.pair.now)
            #expect(result == .queued)
        }
        channels.run(.seconds(1))
        // Agreed on elsewhere: nothing but messages passes.
        #expect(channels.serverEvents == messages.map { .messageReceived(6, $0) })
    }

    @Test func `nonsense of DCEP opens nothing, and a channel that may not be is closed`() {
        let channels = Channels()
        let open = DataChannelOpen(label: "x").bytes
        #expect(channels.say([3, 0], as: .control, on: 0) == .queued)
        #expect(channels.say([9], as: .control, on: 0) == .queued)
        #expect(channels.say([2], as: .control, on: 0) == .queued)
        #expect(channels.say([1, 2], as: .binary, on: 0) == .queued)
        #expect(channels.say([1, 2], as: PayloadProtocol(rawValue: 55), on: 0) == .queued)
        // An odd number is the server's own to give.
        #expect(channels.say(open, as: .control, on: 1) == .queued)
        channels.run(.seconds(1))
        #expect(channels.serverEvents.isEmpty && channels.server.channels.isEmpty)
        #expect(channels.server.ignored == 6)
        // Twice the same.
        for _ in 0..<2 { #expect(channels.say(open, as: .control, on: 2) == .queued) }
        channels.run(.seconds(1))
        #expect(channels.serverEvents.count == 1 && channels.server.channels.count == 1)
    }

    @Test func `channels and their names are bounded`() {
        let channels = Channels()
        let long = DataChannelOpen(label: String(repeating: "l", count: 60_000)).bytes
        for stream in stride(from: 0 as UInt16, to: 20, by: 2) {
            #expect(channels.say(long, as: .control, on: stream) == .queued)
        }
        channels.run(.seconds(5))
        #expect(channels.server.channels.count == 4)
        let short = DataChannelOpen(label: "s").bytes
        for stream in stride(from: 100 as UInt16, to: 2500, by: 2) {
            #expect(channels.say(short, as: .control, on: stream) == .queued)
        }
        channels.run(.seconds(5))
        #expect(channels.server.channels.count == DataChannels.largestCount)
    }

    @Test func `a peer without stream resets loses its channel at once`() throws {
        var plain = SCTPSettings()
        plain.capabilities = []
        let channels = Channels(plain)
        let id = try #require(channels.open(DataChannelOpen(label: "x")))
        channels.run(.seconds(1))
        channels.close(id)
        channels.run(.seconds(1))
        #expect(channels.clientEvents.last == .closed(id))
    }

    @Test func `channels end with their association`() throws {
        let channels = Channels()
        let id = try #require(channels.open(DataChannelOpen(label: "x")))
        channels.run(.seconds(1))
        channels.pair.first.association.abort(at: channels.pair.now)
        channels.run(.seconds(1))
        #expect(channels.clientEvents.last == .closed(id) && channels.serverEvents.last == .closed(id))
        #expect(channels.open(DataChannelOpen(label: "y")) == nil)
    }
}
