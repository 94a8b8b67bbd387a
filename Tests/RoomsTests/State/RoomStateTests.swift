import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

extension RoomAction {
    fileprivate var offer: (session: PeerSession, consumer: ConsumerID, request: NewConsumerRequest)? {
        if case .offer(let session, let id, let request) = self { (session, id, request) } else { nil }
    }

    fileprivate var consumerToOpen: ConsumerID? { if case .openConsumer(let id) = self { id } else { nil } }
}

@Suite struct RoomStateTests {
    private var state: RoomState
    private var serial: UInt64 = 0

    init() throws {
        state = RoomState(
            id: RoomID("r"), configuration: RoomConfiguration(),
            routerCapabilities: try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs),
            generator: SeededGenerator(seed: 7))
    }

    /// What a list of actions does, in short.
    private func script(_ actions: [RoomAction]) -> [String] {
        actions.map { action in
            switch action {
            case .notify(let session, let notification): "\(session.peerID) ← \(notification.method)"
            case .offer(let session, _, let request): "\(session.peerID) ← newConsumer of \(request.peerID)"
            case .closeConnection(let session, let reason): "\(session.peerID) closed: \(reason.rawValue)"
            case .observed(let event): "observed: \(event)"
            case .openConsumer: "open consumer"
            case .updateConsumer: "update consumer"
            case .closeTransport: "close transport"
            case .closeProducer: "close producer"
            case .closeConsumer: "close consumer"
            case .openDataProducer: "open data producer"
            case .closeDataChannel: "close data channel"
            case .openDataConsumer: "open data consumer"
            case .offerData(let session, _, let request): "\(session.peerID) ← newDataConsumer of \(request.label)"
            case .releaseDataConsumer: "release data consumer"
            case .listenToData: "listen to data"
            case .openBot: "open the bot"
            case .sendData: "send data"
            case .closeDataProducer: "close data producer"
            case .closeDataConsumer: "close data consumer"
            }
        }
    }

    private mutating func openTransport(_ session: PeerSession, consuming: Bool) throws -> TransportID {
        let opening = try state.openTransport(.init(producing: !consuming, consuming: consuming), from: session)
        serial += 1
        _ = state.transportOpened(opening, TransportKey(rawValue: serial))
        return opening.id
    }

    private mutating func join(_ name: String) throws -> (session: PeerSession, actions: [RoomAction]) {
        let session = try state.peerConnected(PeerID(name)).session
        _ = try openTransport(session, consuming: true)
        let request = JoinRequest(displayName: name, rtpCapabilities: receiverCapabilities)
        return (session, try state.join(request, from: session).actions)
    }

    @Test mutating func `peers that can receive the same share what says so`() throws {
        for name in ["a", "b"] {
            // As two clients send them: equal, and not the same memory.
            let own = RTPCapabilities(
                codecs: receiverCapabilities.codecs.map { $0 }, headerExtensions: receiverCapabilities.headerExtensions)
            let session = try state.peerConnected(PeerID(name)).session
            _ = try state.join(JoinRequest(displayName: name, rtpCapabilities: own), from: session)
        }
        var other = receiverCapabilities
        other.codecs.removeLast()
        let session = try state.peerConnected(PeerID("c")).session
        _ = try state.join(JoinRequest(displayName: "c", rtpCapabilities: other), from: session)
        let places = ["a", "b", "c"].map { name in
            state.peers[PeerID(name)]?.rtpCapabilities?.codecs.withUnsafeBufferPointer { $0.baseAddress }
        }
        #expect(places[0] != nil && places[0] == places[1])
        #expect(places[2] != nil && places[2] != places[0])
        #expect(state.peers[PeerID("c")]?.rtpCapabilities == other)
    }

    private mutating func produce(
        _ session: PeerSession, on transport: TransportID, _ parameters: RTPParameters = audioParameters(),
        _ kind: MediaKind = .audio
    ) throws -> (id: ProducerID, actions: [RoomAction]) {
        let request = ProduceRequest(transportID: transport, kind: kind, rtpParameters: parameters)
        let opening = try state.openProducer(request, from: session)
        serial += 1
        return (opening.id, state.producerOpened(opening, ProducerKey(rawValue: serial)))
    }

    private mutating func open(_ actions: [RoomAction]) -> [RoomAction] {
        var result: [RoomAction] = []
        for case .openConsumer(let id) in actions {
            serial += 1
            result += state.consumerOpened(id, ConsumerKey(rawValue: serial))
        }
        return result
    }

    @Test mutating func `a newcomer is sent the version, and the others are notified when it joins`() throws {
        let (alice, actions) = try state.peerConnected(PeerID("alice"))
        #expect(script(actions) == ["alice ← mediasoup-version"])
        _ = try state.join(JoinRequest(displayName: "A"), from: alice)
        let bob = try state.peerConnected(PeerID("bob")).session
        let (answer, joining) = try state.join(JoinRequest(displayName: "B"), from: bob)
        #expect(answer.peers.map(\.displayName) == ["A"])
        #expect(script(joining) == ["alice ← newPeer"])
    }

    @Test mutating func `joining twice is refused`() throws {
        let alice = try join("alice").session
        #expect(throws: RoomError(.peerAlreadyJoined, "Peer already joined")) {
            try state.join(JoinRequest(displayName: "A"), from: alice)
        }
    }

    @Test mutating func `what needs a joined peer is refused before`() throws {
        let alice = try state.peerConnected(PeerID("alice")).session
        let transport = try openTransport(alice, consuming: false)
        let refused = RoomError(.peerNotJoined, "Peer not yet joined")
        #expect(throws: refused) { try produce(alice, on: transport) }
        #expect(throws: refused) { try state.changeDisplayName("x", from: alice) }
        #expect(throws: refused) { try state.producer(ProducerID("x"), of: alice) }
        #expect(throws: refused) { try state.consumer(ConsumerID("x"), of: alice) }
    }

    @Test mutating func `a producer is offered to everybody else and consumed after acceptance`() throws {
        let alice = try join("alice").session
        let bob = try join("bob").session
        let transport = try openTransport(alice, consuming: false)
        let (_, actions) = try produce(alice, on: transport)
        #expect(script(actions) == ["open consumer"])
        let offers = open(actions)
        #expect(script(offers) == ["bob ← newConsumer of alice"])
        let (session, id, request) = try #require(offers.first?.offer)
        #expect(session == bob)
        #expect(request.rtpParameters.mid == "0")
        #expect(request.appData == .object(["peerId": .string("alice")]))
        #expect(request.rtpParameters.rtcp.cname == "alice-cname")
        #expect(state.consumerUpdates(id).isEmpty)
        let accepted = state.consumerAnswered(id, .accepted)
        #expect(script(accepted) == ["update consumer", "bob ← consumerScore"])
        let key = try #require(state.consumers[id]?.key)
        #expect(state.consumerUpdates(id) == [.paused(key, false)])
        #expect(state.consumerAnswered(id, .accepted).isEmpty, "an answer counts once")
    }

    @Test mutating func `a refused consumer is closed and not offered again`() throws {
        let alice = try join("alice").session
        let bob = try join("bob").session
        let transport = try openTransport(alice, consuming: false)
        for case .offer(_, let id, _) in open(try produce(alice, on: transport).actions) {
            #expect(script(state.consumerAnswered(id, .rejected)) == ["close consumer", "bob ← consumerClosed"])
        }
        #expect(state.consumers.isEmpty)
        #expect(state.consumeEverything(bob.peerID).isEmpty)
    }

    @Test(arguments: [ServerRequestOutcome.accepted, .rejected, .disconnected])
    mutating func `a consumer that ends before its client has answered is closed after the answer`(
        outcome: ServerRequestOutcome
    ) throws {
        let alice = try join("alice").session
        _ = try join("bob")
        let (producer, actions) = try produce(alice, on: try openTransport(alice, consuming: false))
        let (_, id, _) = try #require(open(actions).first?.offer)
        #expect(script(state.producerClosed(producer)) == ["close consumer", "close producer"])
        #expect(script(state.consumerAnswered(id, outcome)) == (outcome == .accepted ? ["bob ← consumerClosed"] : []))
        #expect(state.consumerAnswered(id, outcome).isEmpty && state.endedUnanswered.isEmpty)
    }

    @Test mutating func `a pause before the client has answered is reported with the answer, if it lasts`() throws {
        let alice = try join("alice").session
        _ = try join("bob")
        let transport = try openTransport(alice, consuming: false)
        let (producer, actions) = try produce(alice, on: transport)
        let (_, id, _) = try #require(open(actions).first?.offer)
        #expect(script(state.producerPauseChanged(producer, true)) == ["update consumer"])
        #expect(script(state.producerPauseChanged(producer, false)) == ["update consumer"])
        #expect(script(state.producerPauseChanged(producer, true)) == ["update consumer"])
        #expect(
            script(state.consumerAnswered(id, .accepted))
                == ["update consumer", "bob ← consumerPaused", "bob ← consumerScore"])
    }

    @Test mutating func `consuming waits for a transport to consume on`() throws {
        let alice = try join("alice").session
        _ = try produce(alice, on: try openTransport(alice, consuming: false))
        let bob = try state.peerConnected(PeerID("bob")).session
        let joining = try state.join(JoinRequest(displayName: "B", rtpCapabilities: receiverCapabilities), from: bob)
        #expect(script(joining.actions) == ["alice ← newPeer"])
        let sending = try state.openTransport(.init(producing: true, consuming: false), from: bob)
        #expect(state.transportOpened(sending, TransportKey(rawValue: 900)).isEmpty)
        let receiving = try state.openTransport(.init(producing: false, consuming: true), from: bob)
        #expect(script(state.transportOpened(receiving, TransportKey(rawValue: 901))) == ["open consumer"])
        let another = try state.openTransport(.init(producing: false, consuming: true), from: bob)
        #expect(state.transportOpened(another, TransportKey(rawValue: 902)).isEmpty, "consumed once only")
    }

    @Test mutating func `a peer gets nothing it cannot decode`() throws {
        let alice = try join("alice").session
        let bob = try state.peerConnected(PeerID("bob")).session
        _ = try openTransport(bob, consuming: true)
        var audioOnly = receiverCapabilities
        audioOnly.codecs.removeAll { $0.kind == .video }
        _ = try state.join(JoinRequest(displayName: "B", rtpCapabilities: audioOnly), from: bob)
        let transport = try openTransport(alice, consuming: false)
        let video = try produce(alice, on: transport, simulcastParameters(), .video).actions
        #expect(script(video) == ["bob ← producerUnsupported"])
        #expect(script(try produce(alice, on: transport).actions) == ["open consumer"])
    }

    @Test mutating func `a producer's pause reaches its consumers and only a change is notified`() throws {
        let alice = try join("alice").session
        _ = try join("bob").session
        let (producer, actions) = try produce(alice, on: try openTransport(alice, consuming: false))
        let offers = open(actions)
        let id = try #require(offers.first?.offer?.consumer)
        let key = try #require(state.consumers[id]?.key)
        _ = state.consumerAnswered(id, .accepted)
        state.consumerUpdated(id, .paused(key, false))
        #expect(script(state.producerPauseChanged(producer, true)) == ["update consumer", "bob ← consumerPaused"])
        #expect(state.consumerUpdates(id) == [.producerPaused(key, true)])
        #expect(state.producerPauseChanged(producer, true).isEmpty)
        state.consumerUpdated(id, .producerPaused(key, true))
        #expect(script(state.producerPauseChanged(producer, false)) == ["update consumer", "bob ← consumerResumed"])
        #expect(state.consumerUpdates(id) == [.producerPaused(key, false)])
    }

    @Test mutating func `a leaving peer's producers are closed for everybody, after peerClosed`() throws {
        let alice = try join("alice").session
        let bob = try join("bob").session
        let transport = try openTransport(alice, consuming: false)
        _ = open(try produce(alice, on: transport).actions)
        #expect(
            script(state.peerLeft(alice, .disconnected)) == [
                "bob ← peerClosed", "close consumer", "close transport", "close transport",
                "alice closed: disconnected",
            ])
        #expect(state.peerLeft(alice, .disconnected).isEmpty)
        #expect(script(state.peerLeft(bob, .disconnected)) == ["close transport", "bob closed: disconnected"])
        #expect(state.counts == RoomCounts())
        #expect(state.transportIDs.isEmpty)
    }

    @Test mutating func `a consumer that was never opened is dropped without a word`() throws {
        let alice = try join("alice").session
        _ = try join("bob").session
        let (producer, actions) = try produce(alice, on: try openTransport(alice, consuming: false))
        #expect(script(state.producerClosed(producer)) == ["close producer"])
        let id = try #require(actions.first?.consumerToOpen)
        #expect(state.consumerOpening(id) == nil)
        #expect(script(state.consumerOpened(id, ConsumerKey(rawValue: 5))) == ["close consumer"])
    }

    @Test mutating func `the newer connection of a peer wins`() throws {
        let older = try join("alice").session
        _ = try join("bob").session
        let (newer, actions) = try state.peerConnected(PeerID("alice"))
        #expect(
            script(actions) == [
                "bob ← peerClosed", "close transport", "alice closed: replaced-by-a-newer-connection",
                "alice ← mediasoup-version",
            ])
        #expect(throws: RoomError.self) { try state.peer(older) }
        #expect(state.peerLeft(older, .disconnected).isEmpty, "the older connection's end must not hit the newer")
        _ = try state.peer(newer)
    }

    @Test mutating func `streams of one transport may not meet`() throws {
        let alice = try join("alice").session
        let transport = try openTransport(alice, consuming: false)
        let (first, _) = try produce(alice, on: transport, audioParameters(ssrc: 5, mid: "a"))
        #expect(throws: RoomError(.streamConflict, "ssrc 5 is in use by another producer of the transport")) {
            try produce(alice, on: transport, audioParameters(ssrc: 5, mid: "b"))
        }
        #expect(throws: RoomError(.streamConflict, #"mid "a" is in use by another producer of the transport"#)) {
            try produce(alice, on: transport, audioParameters(ssrc: 6, mid: "a"))
        }
        _ = state.producerClosed(first)
        _ = try produce(alice, on: transport, audioParameters(ssrc: 5, mid: "a"))
        _ = try produce(alice, on: try openTransport(alice, consuming: false), audioParameters(ssrc: 5, mid: "a"))
    }

    @Test mutating func `all producers of a transport share the first one's CNAME`() throws {
        let alice = try join("alice").session
        let transport = try openTransport(alice, consuming: false)
        let (first, _) = try produce(alice, on: transport)
        let (second, _) = try produce(alice, on: transport, simulcastParameters(), .video)
        #expect(state.producers[first]?.consumable.rtcp.cname == "alice-cname")
        #expect(state.producers[second]?.consumable.rtcp.cname == "alice-cname")
        let (third, _) = try produce(
            alice, on: try openTransport(alice, consuming: false), simulcastParameters(), .video)
        #expect(state.producers[third]?.consumable.rtcp.cname?.count == 8)
    }

    @Test mutating func `connecting decides the roles and works once`() throws {
        let alice = try state.peerConnected(PeerID("alice")).session
        for (remote, ours) in [(DTLSRole.client, DTLSRole.server), (.server, .client), (.auto, .client)] {
            let transport = try openTransport(alice, consuming: false)
            let request = ConnectWebRtcTransportRequest(
                transportID: transport, dtlsParameters: .init(role: remote, fingerprints: [clientFingerprint]))
            let plan = try state.connectTransport(request, from: alice)
            #expect(plan.role == ours)
            #expect(plan.fingerprint == clientFingerprint)
            state.transportConnected(transport)
            let error = #expect(throws: RoomError.self) { try state.connectTransport(request, from: alice) }
            #expect(error?.code == .wrongState)
        }
    }

    @Test mutating func `another peer's objects are not found`() throws {
        let alice = try join("alice").session
        let bob = try join("bob").session
        let transport = try openTransport(alice, consuming: false)
        let (producer, _) = try produce(alice, on: transport)
        #expect(throws: RoomError(.transportNotFound, "transport with id \"\(transport)\" not found")) {
            try state.transport(transport, of: bob)
        }
        #expect(throws: RoomError(.producerNotFound, "producer with id \"\(producer)\" not found")) {
            try state.producer(producer, of: bob)
        }
        #expect(throws: RoomError(.consumerNotFound, "consumer with id \"x\" not found")) {
            try state.consumer(ConsumerID("x"), of: bob)
        }
    }

    @Test mutating func `limits are kept`() throws {
        let alice = try join("alice").session
        let transport = try openTransport(alice, consuming: false)
        for index in 0..<64 {
            _ = try produce(alice, on: transport, audioParameters(ssrc: UInt32(1000 + index), mid: "m\(index)"))
        }
        let error = #expect(throws: RoomError.self) {
            try produce(alice, on: transport, audioParameters(ssrc: 1, mid: "x"))
        }
        #expect(error?.code == .limitReached)
        for _ in 0..<6 { _ = try openTransport(alice, consuming: false) }
        #expect(throws: RoomError.self) { try openTransport(alice, consuming: false) }
    }

    @Test(
        arguments: [
            (ICEState.disconnected, PeerCloseReason.iceDisconnected), (.closed, .iceDisconnected), (.connected, nil),
            (.completed, nil),
        ] as [(ICEState, PeerCloseReason?)])
    mutating func `a peer whose ICE is lost leaves`(iceState: ICEState, reason: PeerCloseReason?) throws {
        _ = try join("alice")
        _ = try join("bob")
        let key = try #require(state.transports.values.first { $0.peerID == PeerID("alice") }?.key)
        let actions = script(state.iceStateChanged(key, iceState, selected: nil))
        #expect(actions.first == (reason == nil ? nil : "bob ← peerClosed"))
        #expect(actions.last == reason.map { "alice closed: \($0.rawValue)" })
        #expect(state.iceStateChanged(TransportKey(rawValue: 12345), .closed, selected: nil).isEmpty)
    }

    @Test(
        arguments: [
            (DTLSState.failed, PeerCloseReason.dtlsFailed), (.closed, .dtlsClosed), (.connecting, nil),
            (.connected, nil),
        ] as [(DTLSState, PeerCloseReason?)])
    mutating func `a peer whose DTLS ends leaves`(dtlsState: DTLSState, reason: PeerCloseReason?) throws {
        _ = try join("alice")
        let key = try #require(state.transports.values.first?.key)
        #expect(script(state.dtlsStateChanged(key, dtlsState)).last == reason.map { "alice closed: \($0.rawValue)" })
    }

    @Test mutating func `a peer that outlives its transports loses only what was on the one it closed`() throws {
        let alice = try state.peerConnected(PeerID("alice")).session
        let sending = try openTransport(alice, consuming: false)
        let other = try openTransport(alice, consuming: true)
        _ = try state.join(
            JoinRequest(displayName: "A", consumesOnRequest: true, outlivesTransports: true), from: alice)
        let bob = try join("bob").session
        let (producer, actions) = try produce(alice, on: sending)
        #expect(!open(actions).isEmpty)
        let key = try state.transport(sending, of: alice).key
        let script = script(state.dtlsStateChanged(key, .closed))
        #expect(script == ["close consumer", "close transport"])
        #expect(throws: RoomError.self) { try state.transport(sending, of: alice) }
        #expect(throws: RoomError.self) { try state.producer(producer, of: alice) }
        #expect(try state.transport(other, of: alice).id == other)
        #expect(state.counts.peers == 2 && state.counts.transports == 2 && state.counts.consumers == 0)
        // What the media plane still says of it is too late; a lost connection is a different matter.
        #expect(state.dtlsStateChanged(key, .failed).isEmpty)
        let otherKey = try state.transport(other, of: alice).key
        #expect(
            self.script(state.iceStateChanged(otherKey, .disconnected, selected: nil)).last
                == "alice closed: ice-disconnected")
        _ = bob
    }

    @Test mutating func `a peer whose client made its transport again loses only the one that was replaced`() throws {
        let alice = try state.peerConnected(PeerID("alice")).session
        let bob = try join("bob").session
        func key(_ id: TransportID) throws -> TransportKey { try state.transport(id, of: alice).key }
        let first = try openTransport(alice, consuming: true)
        let second = try openTransport(alice, consuming: true)
        let (firstKey, secondKey) = try (key(first), key(second))
        _ = state.iceStateChanged(firstKey, .completed, selected: nil)
        _ = state.iceStateChanged(secondKey, .completed, selected: nil)
        state.transportSuperseded(firstKey, by: secondKey)
        #expect(script(state.iceStateChanged(firstKey, .disconnected, selected: nil)) == ["close transport"])
        #expect(throws: RoomError.self) { try state.transport(first, of: alice) }
        #expect(state.counts.peers == 2)
        // A successor of somebody else's, or a lost one, keeps nobody in the room.
        let third = try openTransport(alice, consuming: true)
        let bobsKey = try #require(state.transports.values.first { $0.peerID == bob.peerID }?.key)
        state.transportSuperseded(try key(third), by: bobsKey)
        let actions = script(state.iceStateChanged(try key(third), .disconnected, selected: nil))
        #expect(actions.last == "alice closed: ice-disconnected")
    }

    @Test mutating func `a closed room notifies nobody of the others and takes nobody`() throws {
        _ = try join("alice")
        _ = try join("bob")
        #expect(
            script(state.close(.shutdown)) == [
                "close transport", "alice closed: shutdown", "close transport", "bob closed: shutdown",
            ])
        let error = #expect(throws: RoomError.self) { try state.peerConnected(PeerID("carol")) }
        #expect(error?.code == .roomClosed)
    }

    @Test mutating func `the same seed gives the same identifiers, and they are version 4 UUIDs`() throws {
        var other = try RoomStateTests()
        for _ in 0..<20 {
            let id = state.randomIdentifier()
            #expect(other.state.randomIdentifier() == id)
            let characters = Array(id)
            #expect(characters.count == 36 && characters[14] == "4" && "89ab".contains(characters[19]))
        }
        #expect(state.randomMappedSSRC(count: 3) >= 100_000_000)
    }
}
