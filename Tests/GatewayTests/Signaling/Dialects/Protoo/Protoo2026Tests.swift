import RoundhouseMedia
import Testing

@testable import RoundhouseGateway
@testable import RoundhouseRooms

/// The protocol of 2026: every name that differs from that of 2024.
@Suite struct Protoo2026Tests {
    private let dialect = ProtooDialect(vocabulary: Protoo2026())

    private func request(_ method: String, _ data: String) throws -> SignalingRequest {
        guard
            case .request(_, .room(let request), _) = dialect.decode(
                "{\"request\":true,\"id\":1,\"method\":\"\(method)\",\"data\":\(data)}")
        else { throw NeverHappened() }
        return request
    }

    @Test func `what a transport is for is in the application's data`() throws {
        for (direction, producing) in [("producer", true), ("consumer", false)] {
            guard
                case .createWebRtcTransport(let create) = try request(
                    "createWebRtcTransport", "{\"forceTcp\":true,\"appData\":{\"direction\":\"\(direction)\"}}")
            else { throw NeverHappened() }
            #expect(!create.candidates.enableUdp && create.candidates.enableTcp)
            #expect(create.producing == producing && create.consuming == !producing)
        }
        for data in ["{}", "{\"appData\":{}}", "{\"appData\":{\"direction\":\"up\"}}"] {
            guard
                case .badRequest(_, let error, .invalidField) = dialect.decode(
                    "{\"request\":true,\"id\":1,\"method\":\"createWebRtcTransport\",\"data\":\(data)}")
            else { throw NeverHappened() }
            #expect(error.message.contains("appData"))
        }
    }

    @Test(arguments: [
        ("closeProducer", "{\"producerId\":\"x\"}"), ("pauseProducer", "{\"producerId\":\"x\"}"),
        ("resumeProducer", "{\"producerId\":\"x\"}"), ("pauseConsumer", "{\"consumerId\":\"x\"}"),
        ("resumeConsumer", "{\"consumerId\":\"x\"}"), ("requestConsumerKeyFrame", "{\"consumerId\":\"x\"}"),
        ("setConsumerPreferredLayers", "{\"consumerId\":\"x\",\"spatialLayer\":1}"),
        ("setConsumerPriority", "{\"consumerId\":\"x\",\"priority\":1}"),
        ("changeDisplayName", "{\"displayName\":\"x\"}"),
    ])
    func `what needs no answer is a notification`(method: String, data: String) throws {
        let text = "{\"notification\":true,\"method\":\"\(method)\",\"data\":\(data)}"
        guard case .notification(_, method) = dialect.decode(text) else { throw NeverHappened() }
        guard case .ignored(.unknownNotification) = ProtooDialect().decode(text) else { throw NeverHappened() }
    }

    @Test func `what needs an answer is no notification`() throws {
        for method in ["join", "produce", "fly", "getRtcStatsUrl"] {
            guard
                case .ignored(.unknownNotification) = dialect.decode(
                    "{\"notification\":true,\"method\":\"\(method)\",\"data\":{}}")
            else { throw NeverHappened() }
        }
        guard case .ignored(.invalidField) = dialect.decode("{\"notification\":true,\"method\":\"pauseProducer\"}")
        else {
            throw NeverHappened()
        }
    }

    @Test func `the throttle is stopped, not reset`() throws {
        guard case .resetNetworkThrottle = try request("stopNetworkThrottle", "{}") else { throw NeverHappened() }
        guard
            case .badRequest(_, _, .unknownMethod) = dialect.decode(
                "{\"request\":true,\"id\":1,\"method\":\"resetNetworkThrottle\"}")
        else { throw NeverHappened() }
    }

    @Test func `answers are objects, and identifiers are called by their objects`() throws {
        let peer = PeerDescription(id: PeerID("ann"), displayName: "Ann", device: RoundhouseRooms.DeviceDescription())
        #expect(dialect.data(of: .producer(ProducerID("x"))) == .object(["producerId": .string("x")]))
        #expect(dialect.data(of: .statistics([.null])) == .object(["stats": .array([.null])]))
        #expect(dialect.data(of: .done) == .object([:]))
        let joined = dialect.data(
            of: .joined(JoinAnswer(peers: [peer], displayName: "Bob", permissions: .subscribe)))
        #expect(joined["displayName"] == .string("Bob") && joined["permissions"]?["publish"] == .bool(false))
        guard case .array(let peers)? = joined["peers"] else { throw NeverHappened() }
        #expect(peers[0]["peerId"] == .string("ann") && peers[0]["id"] == nil)
        #expect(dialect.data(of: .routerRtpCapabilities(RTPCapabilities()))["routerRtpCapabilities"] != nil)
    }

    @Test func `notifications have their names and shapes of 2026`() throws {
        func sent(_ notification: ServerNotification) throws -> JSONValue {
            try JSONValue(parsing: dialect.encode(.notification(notification), number: nil))
        }
        #expect(try sent(.mediasoupVersion("3"))["method"] == .string("mediasoupVersion"))
        let peer = PeerDescription(id: PeerID("ann"), displayName: "Ann", device: RoundhouseRooms.DeviceDescription())
        #expect(try sent(.newPeer(peer))["data"]?["peer"]?["peerId"] == .string("ann"))
        let consumer = ConsumerID("c")
        #expect(
            try sent(.consumerLayersChanged(consumer, spatialLayer: 1, temporalLayer: 2))["data"]?["layers"]
                == .object(["spatialLayer": .integer(1), "temporalLayer": .integer(2)]))
        #expect(
            try sent(.consumerLayersChanged(consumer, spatialLayer: nil, temporalLayer: nil))["data"]
                == .object(["consumerId": .string("c")]))
        #expect(try sent(.activeSpeaker(nil, volume: nil))["data"] == .object([:]))
        let speaking = ServerNotification.speakingPeers([PeerVolume(peerID: PeerID("ann"), volume: -3)])
        #expect(
            try sent(speaking)["data"]
                == .object([
                    "peerVolumes": .array([.object(["peerId": .string("ann"), "volume": .integer(-3)])])
                ]))
        #expect(dialect.knows(speaking) && !ProtooDialect().knows(speaking))
        #expect(try sent(.activeSpeaker(PeerID("ann"), volume: -3))["data"] == .object(["peerId": .string("ann")]))
    }

    @Test func `a client's first question shows its year`() throws {
        guard
            case .request(_, .knownAnd(let data, let dialect), _) = ProtooDialect().decode(
                "{\"request\":true,\"id\":1,\"method\":\"getRtcStatsUrl\"}")
        else { throw NeverHappened() }
        #expect(data == .object([:]))
        #expect((dialect as? ProtooDialect)?.vocabulary is Protoo2026)
    }

    @Test func `a client of early 2026, which asks for capabilities first, shows its year with its first transport`()
        async throws
    {
        try await TestServer.with { server in
            let client = try await server.join("early")
            let answer = try await client.request("getRouterRtpCapabilities")
            let capabilities = try #require(answer["data"])
            // For clients of 2024 bare, for those of 2026 named.
            #expect(capabilities["codecs"] != nil && capabilities["routerRtpCapabilities"]?["codecs"] != nil)
            let transport = try await client.request(
                "createWebRtcTransport",
                .object(["forceTcp": .bool(false), "appData": .object(["direction": .string("consumer")])]))
            #expect(transport["data"]?["transportId"] != nil && transport["data"]?["id"] == nil)
            let named = try await client.request("getRouterRtpCapabilities")
            #expect(named["data"]?["codecs"] == nil && named["data"]?["routerRtpCapabilities"] != nil)
            try await client.close()
        }
    }

    @Test(arguments: [
        "{\"producing\":true,\"consuming\":false}", "{}",
        "{\"producing\":false,\"appData\":{\"direction\":\"consumer\"}}", "{\"appData\":{}}", "{\"appData\":[]}",
    ])
    func `a client of 2024 is none of 2026`(data: String) throws {
        guard
            case .request(_, .room(.createWebRtcTransport), _) = ProtooDialect().decode(
                "{\"request\":true,\"id\":1,\"method\":\"createWebRtcTransport\",\"data\":\(data)}")
        else { throw NeverHappened() }
    }
}
