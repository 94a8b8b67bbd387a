import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// Data producers and consumers, by the rules of mediasoup-demo.
@Suite(.timeLimit(.minutes(15))) struct DataTests {
    private let fixture: RoomFixture
    private let alice: ConnectedPeer
    private let bob: ConnectedPeer

    /// Both have data channels; neither waits for the bot.
    init() async throws {
        fixture = try RoomFixture()
        alice = try await Self.join("alice", fixture)
        bob = try await Self.join("bob", fixture)
    }

    private static func join(
        _ name: String, _ fixture: RoomFixture, change: (inout JoinRequest) -> Void = { _ in }
    ) async throws -> ConnectedPeer {
        let peer = try await fixture.connect(name)
        for isProducing in [true, false] {
            _ = try await peer.makeTransport(
                producing: isProducing, consuming: !isProducing, dataChannels: DataChannelsRequest())
        }
        var join = JoinRequest(displayName: name.uppercased(), rtpCapabilities: receiverCapabilities)
        join.receivesData = true
        change(&join)
        try await peer.request(.join(join))
        return peer
    }

    /// The keys of what was opened on the plane.
    private var producerKeys: [DataProducerKey] {
        fixture.plane.commands.compactMap { command in
            switch command {
            case .openDataProducer(let key, _, _), .openDirectDataProducer(let key): key
            default: nil
            }
        }
    }

    private func report(_ event: DataEvent, to peer: ConnectedPeer) async {
        await peer.room.events.append(.data(event))
        await peer.room.drain()
    }

    @Test func `others are offered a channel like the sender's, on streams of their own`() async throws {
        let parameters = SCTPStreamParameters(streamID: 5, ordered: false, maxRetransmits: 3)
        let producer = try await alice.produceData("chat", on: alice.sending, parameters)
        let offer = try #require(bob.client.dataOffers.first)
        #expect(offer.dataProducerID == producer && offer.peerID == PeerID("alice") && offer.label == "chat")
        #expect(offer.transportID == bob.receiving)
        #expect(offer.streamParameters == SCTPStreamParameters(streamID: 0, ordered: false, maxRetransmits: 3))
        _ = try await alice.produceData("game", on: alice.sending, .init(streamID: 6))
        #expect(bob.client.dataOffers.map(\.streamParameters.streamID) == [0, 1])
        #expect(alice.client.dataOffers.isEmpty)
        let carol = try await Self.join("carol", fixture)
        #expect(carol.client.dataOffers.map(\.label) == ["chat", "game"])
    }

    @Test func `a data producer is closed by its client, by its channel and with its peer`() async throws {
        let first = try await alice.produceData("one", on: alice.sending)
        _ = try await alice.produceData("two", on: alice.sending, .init(streamID: 1))
        _ = try await alice.produceData("three", on: alice.sending, .init(streamID: 2))
        #expect(!fixture.plane.names.contains("releaseDataConsumer"))
        await bob.answer(.accepted)
        #expect(fixture.plane.names.filter { $0 == "releaseDataConsumer" }.count == 3)
        try await alice.request(.closeDataProducer(first))
        #expect(bob.client.log.filter { $0 == "dataConsumerClosed" }.count == 1)
        await report(.producerClosedByClient(producerKeys[1]), to: alice)
        #expect(bob.client.log.filter { $0 == "dataConsumerClosed" }.count == 2)
        await alice.room.disconnected(alice.session)
        #expect(bob.client.log.filter { $0 == "dataConsumerClosed" }.count == 3)
        #expect(await bob.room.state.data.producers.isEmpty)
        #expect(await bob.room.state.data.consumers.isEmpty)
        // Those of a transport go with it.
        #expect(fixture.plane.names.filter { $0 == "closeDataProducer" }.count == 2)
    }

    @Test func `a channel that was closed before its client had answered is closed when it has`() async throws {
        let producer = try await alice.produceData("chat", on: alice.sending)
        try await alice.request(.closeDataProducer(producer))
        #expect(!bob.client.log.contains("dataConsumerClosed"))
        await bob.answer(.accepted)
        #expect(bob.client.log.last == "dataConsumerClosed")
    }

    @Test func `streams, transports and limits are checked`() async throws {
        _ = try await alice.produceData("chat", on: alice.sending)
        await expectRefusal(.streamConflict) { try await alice.produceData("again", on: alice.sending) }
        await expectRefusal(.invalidParameters) {
            try await alice.produceData("high", on: alice.sending, .init(streamID: 1024))
        }
        await expectRefusal(.transportNotFound) { try await alice.produceData("chat", on: bob.sending) }
        await expectRefusal(.dataProducerNotFound) {
            try await bob.request(.consumeData(.init(transportID: bob.receiving, dataProducerID: .init("none"))))
        }
        for number in 1..<64 {
            _ = try await alice.produceData("x", on: alice.sending, .init(streamID: UInt16(number)))
        }
        await expectRefusal(.limitReached) { try await alice.produceData("x", on: alice.sending, .init(streamID: 99)) }
    }

    @Test func `a client's requests reach the plane`() async throws {
        let producer = try await alice.produceData("chat", on: alice.sending)
        let request = ConsumeDataRequest(
            transportID: bob.receiving, dataProducerID: producer, maxPacketLifeTime: 100, subchannels: [1, 2])
        let answer = try await bob.request(.consumeData(request))
        guard case .dataConsumer(let consumer) = answer else { throw RoomError(.internalError, "\(answer)") }
        #expect(consumer.streamParameters == SCTPStreamParameters(streamID: 1, ordered: false, maxPacketLifeTime: 100))
        fixture.plane.forget()
        try await alice.request(.pauseDataProducer(producer))
        try await bob.request(.pauseDataConsumer(consumer.id))
        let threshold = try SetBufferedAmountLowThresholdRequest(
            JSONReader(json(#"{"dataConsumerId":"\#(consumer.id)","threshold":10}"#)))
        try await bob.request(.setBufferedAmountLowThreshold(threshold))
        #expect(
            fixture.plane.names == ["setDataProducerPaused", "setDataConsumerPaused", "setBufferedAmountLowThreshold"])
        let key = try #require(await bob.room.state.data.consumers[consumer.id]?.key)
        await report(.bufferedAmountLow(key, bytes: 7), to: bob)
        await report(.sendBufferFull(key), to: bob)
        #expect(bob.client.log.suffix(2) == ["dataConsumerBufferedAmountLow", "dataConsumerSendBufferFull"])
    }

    @Test func `the bot answers what it is sent, to everybody who waits for it`() async throws {
        let carol = try await Self.join("carol", fixture) { $0.wantsBot = true }
        let bot = try #require(carol.client.dataOffers.first)
        #expect(bot.peerID == nil && bot.label == "bot")
        _ = try await carol.produceData("bot", on: carol.sending)
        #expect(alice.client.dataOffers.isEmpty && bob.client.dataOffers.isEmpty)
        let listener = try #require(await carol.room.state.data.listeners.keys.first)
        await report(.messageReceived(listener, DataMessage(text: "hi")), to: carol)
        await report(.messageReceived(listener, DataMessage(binary: [1])), to: carol)
        let said = fixture.plane.commands.compactMap { command in
            if case .sendData(_, let message) = command { message.text } else { nil }
        }
        #expect(said == [#"CAROL said me: "hi""#])
        await carol.room.close()
        #expect(fixture.plane.names.contains("closeDataProducer"))
    }

    @Test func `clients without data channels send and get texts by signaling`() async throws {
        let dave = try await Self.join("dave", fixture) {
            ($0.receivesData, $0.getsDataBySignaling) = (false, true)
        }
        try await dave.request(.sendDataMessage(.init(label: "chat", message: "hello")))
        try await dave.request(.sendDataMessage(.init(label: "chat", message: "again")))
        // One data producer stands for all of a label's.
        #expect(bob.client.dataOffers.map(\.label) == ["chat"])
        #expect(bob.client.dataOffers.first?.peerID == PeerID("dave"))
        let sent = fixture.plane.commands.compactMap { command in
            if case .sendData(_, let message) = command { message.text } else { nil }
        }
        #expect(sent == ["hello", "again"])
        _ = try await alice.produceData("chat", on: alice.sending)
        let listener = try #require(await alice.room.state.data.listeners.keys.first)
        await report(.messageReceived(listener, DataMessage(text: "welcome")), to: alice)
        guard case .dataMessage(let from, let label, let text)? = dave.client.notifications.last else {
            throw RoomError(.internalError, "nothing was heard")
        }
        #expect((from, label, text) == (PeerID("alice"), "chat", "welcome"))
        #expect(!bob.client.log.contains("dataMessage"))
    }

    @Test func `whoever may not send or receive any more loses what does`() async throws {
        _ = try await alice.produceData("chat", on: alice.sending)
        _ = try await bob.produceData("chat", on: bob.sending)
        await bob.answer(.accepted)
        let room = alice.room
        #expect(try await room.changePermissions(of: PeerID("alice"), granting: [], taking: .data))
        #expect(bob.client.log.last == "dataConsumerClosed")
        await expectRefusal(.forbidden) { try await alice.produceData("chat", on: alice.sending, .init(streamID: 1)) }
        await alice.answer(.accepted)
        #expect(try await room.changePermissions(of: PeerID("alice"), granting: [], taking: .subscribe))
        #expect(alice.client.log.last == "dataConsumerClosed")
        #expect(try await room.changePermissions(of: PeerID("alice"), granting: .subscribe, taking: []))
        #expect(alice.client.dataOffers.map(\.label) == ["chat"])
    }

    // MARK: Channels that are opened in band

    private static let inBand: DataChannelsRequest = {
        var settings = DataTransportSettings()
        settings.inBandRole = .server
        return DataChannelsRequest(settings: settings)
    }()

    /// What the plane was asked for from a command of this name.
    private func streams(_ name: String) -> [UInt16] {
        fixture.plane.commands.compactMap { command in
            switch command {
            case .openDataProducer(_, _, let settings) where name == "openDataProducer": settings.stream
            case .openDataConsumer(_, _, _, let settings) where name == "openDataConsumer": settings.stream
            case .closeDataChannel(_, let stream) where name == "closeDataChannel": stream
            default: nil
            }
        }
    }

    @Test func `a channel that a client opens becomes a data producer by the same rules, or is closed`() async throws {
        _ = try await alice.makeTransport(producing: true, consuming: false, dataChannels: Self.inBand)
        let transport = try #require(fixture.plane.transports.last).key
        func opened(_ stream: UInt16, _ label: String) async {
            let channel = OpenedDataChannel(transport: transport, stream: stream, label: label)
            await report(.channelOpened(channel), to: alice)
        }
        await opened(0, "chat")
        #expect(streams("openDataProducer") == [0])
        #expect(bob.client.dataOffers.map(\.label) == ["chat"])
        await opened(2, String(repeating: "l", count: 1025))
        #expect(streams("closeDataChannel") == [2])
        for number in 1..<64 { await opened(UInt16(2 * number + 2), "more") }
        await opened(400, "one too many")
        #expect(streams("closeDataChannel") == [2, 400])
        fixture.plane.setFull(true)
        await report(.producerClosedByClient(producerKeys[0]), to: alice)
        await opened(0, "while the plane is busy")
        #expect(streams("openDataProducer").filter { $0 == 0 }.count == 1)
        fixture.plane.setFull(false)
        #expect(try await alice.room.changePermissions(of: PeerID("alice"), granting: [], taking: .data))
        await opened(402, "not permitted")
        #expect(streams("closeDataChannel").suffix(1) == [402])
        #expect(await alice.room.state.data.producers.isEmpty)
    }

    @Test func `a viewer is opened channels of whom it watches, and asked nothing`() async throws {
        let parameters = SCTPStreamParameters(streamID: 4, ordered: false, maxRetransmits: 2)
        _ = try await alice.produceData("chat", on: alice.sending, parameters)
        func watch(_ name: String, _ publisher: PeerID?) async throws -> ConnectedPeer {
            let viewer = try await fixture.connect(name)
            _ = try await viewer.makeTransport(producing: false, consuming: true, dataChannels: Self.inBand)
            fixture.plane.forget()
            try await viewer.room.watchData(of: publisher, by: viewer.session)
            return viewer
        }
        func openings() -> [DataConsumerSettings] {
            fixture.plane.commands.compactMap { command in
                if case .openDataConsumer(_, _, _, let settings) = command { settings } else { nil }
            }
        }
        let viewer = try await watch("viewer", nil)
        let first = try #require(openings().first)
        #expect(first.stream == 1 && first.label == "chat" && !first.isHeld && first.maxRetransmits == 2)
        #expect(viewer.client.dataOffers.isEmpty)
        let other = try await watch("other", PeerID("bob"))
        #expect(openings().isEmpty)
        _ = try await bob.produceData("game", on: bob.sending)
        #expect(openings().filter { $0.label == "game" && $0.stream % 2 == 1 }.map(\.stream).sorted() == [1, 3])
        #expect(other.client.dataOffers.isEmpty)
        // A viewer is nobody's peer: a channel that it opens is closed.
        let transport = try #require(await viewer.room.state.transports[viewer.last]?.key)
        await report(.channelOpened(OpenedDataChannel(transport: transport, stream: 0, label: "x")), to: viewer)
        #expect(streams("closeDataChannel") == [0])
        let room = viewer.room
        #expect(try await room.changePermissions(of: PeerID("viewer"), granting: [], taking: .subscribe))
        #expect(await room.state.peers[PeerID("viewer")]?.dataConsumerIDs.isEmpty == true)
        #expect(try await room.changePermissions(of: PeerID("viewer"), granting: .subscribe, taking: []))
        #expect(await room.state.peers[PeerID("viewer")]?.dataConsumerIDs.count == 2)
    }

    @Test func `an overloaded plane is tried again`() async throws {
        fixture.plane.setRefusesConsumers(true)
        _ = try await alice.produceData("chat", on: alice.sending)
        #expect(bob.client.dataOffers.isEmpty)
        fixture.plane.setRefusesConsumers(false)
        await bob.room.drain()
        #expect(bob.client.dataOffers.count == 1)
    }

    @Test(arguments: [
        (#"{"streamId":1}"#, "1 true nil nil"), (#"{"streamId":1,"maxRetransmits":0}"#, "1 false nil 0"),
        (#"{"streamId":1,"ordered":false}"#, "1 false nil nil"),
        (#"{"streamId":2,"ordered":false,"maxPacketLifeTime":5}"#, "2 false 5 nil"),
    ])
    func `stream parameters are read by mediasoup's rules`(text: String, says: String) throws {
        let read = try SCTPStreamParameters(JSONReader(json(text)))
        func word(_ number: UInt16?) -> String { number.map { "\($0)" } ?? "nil" }
        #expect("\(read.streamID) \(read.ordered) \(word(read.maxPacketLifeTime)) \(word(read.maxRetransmits))" == says)
    }

    @Test(arguments: [
        #"{}"#, #"{"streamId":65535}"#, #"{"streamId":-1}"#, #"{"streamId":"1"}"#,
        #"{"streamId":1,"maxRetransmits":1,"maxPacketLifeTime":1}"#,
        #"{"streamId":1,"ordered":true,"maxRetransmits":1}"#,
        #"{"streamId":1,"maxRetransmits":65536}"#,
    ])
    func `stream parameters that contradict themselves are refused`(text: String) throws {
        #expect(throws: JSONFieldError.self) { try SCTPStreamParameters(JSONReader(json(text))) }
    }

    @Test func `transports say what their data channels are made with, in both generations' words`() async throws {
        let request = try CreateWebRtcTransportRequest(
            JSONReader(
                json(
                    #"{"producing":true,"sctpCapabilities":{"numStreams":{"OS":16,"MIS":2048}},"maxSctpMessageSize":99999999,"sctpSendBufferSize":1000}"#
                )))
        let settings = try #require(request.dataChannels?.settings)
        #expect(
            settings
                == DataTransportSettings(
                    outgoingStreams: 16, incomingStreams: 2048, largestMessage: 99_999_999, sendBuffer: 1000))
        // The room has the last word.
        #expect(DataLimits().bound(settings).largestMessage == 262_144)
        let transport = try await alice.makeTransport(
            producing: true, consuming: false, dataChannels: DataChannelsRequest())
        guard case .object(let fields) = transport.json, case .object(let sctp)? = fields["sctpParameters"] else {
            throw RoomError(.internalError, "no sctpParameters")
        }
        for name in ["maxMessageSize", "maxSendMessageSize", "maxReceiveMessageSize"] {
            #expect(sctp[name] == .integer(262_144))
        }
        let none = try CreateWebRtcTransportRequest(JSONReader(json(#"{"producing":true}"#)))
        #expect(none.dataChannels == nil)
    }
}
