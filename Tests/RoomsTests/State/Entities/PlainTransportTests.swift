import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("Plain transports of a room")
struct RoomPlainTransportTests {
    private func open(
        _ peer: ConnectedPeer, _ request: CreatePlainTransportRequest = .init()
    ) async throws -> PlainTransportDescription {
        guard case .plainTransport(let description) = try await peer.request(.createPlainTransport(request)) else {
            throw RoomError(.internalError, "no plain transport")
        }
        return description
    }

    private func fields(_ entry: JSONValue?) -> [String: JSONValue] {
        if case .object(let fields)? = entry { fields } else { [:] }
    }

    @Test func `the plane opens one, and the client is sent its ports`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.connect("alice")
        let first = try await open(alice)
        #expect(first.endpoint.ip == "127.0.0.1")
        #expect(first.endpoint.rtcpPort == first.endpoint.port + 1)
        #expect(first.srtpParameters == nil)
        await expectRefusal(.wrongState) {
            try await alice.room.changeBitrates(of: first.id) { $0.maximumIncoming = 1 }
        }
        let second = try await open(alice, .init(comedia: false, rtcpMux: true, cryptoSuite: .aeadAES256GCM))
        #expect(second.endpoint.rtcpPort == nil)
        #expect(second.endpoint.port != first.endpoint.port)
        #expect(second.srtpParameters?.key.fits(.aeadAES256GCM) == true)
        let told = fixture.plane.commands.compactMap { command -> PlainTransportSettings? in
            if case .openPlainTransport(_, let settings, _, _) = command { settings } else { nil }
        }
        #expect(told.map(\.isComedia) == [true, false])
        #expect(told.map(\.usesRTCPMux) == [false, true])
        #expect(told.map(\.protection?.local) == [nil, second.srtpParameters?.key])
        #expect(fields(first.json)["transportId"] == fields(first.json)["id"])
    }

    @Test func `it counts as one of the peer's transports, and closes with the peer`() async throws {
        var configuration = RoomConfiguration()
        configuration.maximumTransportsPerPeer = 2
        let fixture = try RoomFixture(configuration: configuration)
        let alice = try await fixture.connect("alice")
        _ = try await open(alice)
        _ = try await alice.makeTransport(producing: true, consuming: true)
        await expectRefusal(.limitReached) { try await open(alice) }
        fixture.plane.setFull(true)
        await alice.room.disconnected(alice.session)
        #expect(fixture.plane.names.count { $0 == "closeTransport" } == 2)
    }

    @Test func `a full plane refuses it, and nothing is left of it`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.connect("alice")
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await open(alice) }
        fixture.plane.setFull(false)
        #expect(await alice.room.state.transports.isEmpty)
    }

    @Test func `connecting is checked by the transport's kind and settings`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.connect("alice")
        let webRTC = try await alice.makeTransport(producing: true, consuming: true)
        let learned = try await open(alice)
        let told = try await open(alice, .init(comedia: false, rtcpMux: false))
        let muxed = try await open(alice, .init(comedia: false, rtcpMux: true, cryptoSuite: .aeadAES128GCM))
        let key = SRTPParameters(
            cryptoSuite: .aeadAES128GCM,
            key: SRTPMasterKey(key: [UInt8](repeating: 1, count: 16), salt: [UInt8](repeating: 2, count: 12)))
        func connect(
            _ id: TransportID, _ ip: String? = nil, _ port: UInt16? = nil, _ rtcpPort: UInt16? = nil,
            _ key: SRTPParameters? = nil
        ) async throws -> SignalingResponse {
            try await alice.request(
                .connectPlainTransport(
                    .init(transportID: id, ip: ip, port: port, rtcpPort: rtcpPort, srtpParameters: key)))
        }
        await expectRefusal(.invalidParameters) { try await connect(webRTC.id, "192.0.2.1", 1, 2) }
        await expectRefusal(.wrongState) { try await connect(learned.id) }
        await expectRefusal(.invalidParameters) { try await connect(learned.id, "192.0.2.1", 1, 2) }
        await expectRefusal(.invalidParameters) { try await connect(told.id, nil, 1, 2) }
        await expectRefusal(.invalidParameters) { try await connect(told.id, "192.0.2.1", nil, 2) }
        await expectRefusal(.invalidParameters) { try await connect(told.id, "192.0.2.1", 1) }
        await expectRefusal(.invalidParameters) { try await connect(told.id, "192.0.2.1", 1, 2, key) }
        for ip in ["", "192.0.2", "example.com", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "2001:db8::1"] {
            await expectRefusal(.invalidParameters) { try await connect(told.id, ip, 1, 2) }
        }
        await expectRefusal(.invalidParameters) { try await connect(muxed.id, "192.0.2.1", 1) }
        await expectRefusal(.invalidParameters) { try await connect(muxed.id, "192.0.2.1", 1, 2, key) }
        var other = key
        other.cryptoSuite = .aeadAES256GCM
        await expectRefusal(.invalidParameters) { try await connect(muxed.id, "192.0.2.1", 1, nil, other) }
        #expect(!fixture.plane.names.contains("connectPlainTransport"))
        _ = try await connect(told.id, "192.0.2.1", 1, 2)
        _ = try await connect(muxed.id, "192.0.2.1", 3, nil, key)
        let remotes = fixture.plane.commands.compactMap { command -> PlainRemote? in
            if case .connectPlainTransport(_, let remote) = command { remote } else { nil }
        }
        #expect(remotes.map(\.address?.port) == [1, 3])
        #expect(remotes.first?.rtcpAddress?.port == 2)
        #expect(remotes.last?.key == key.key)
        await expectRefusal(.wrongState) { try await connect(told.id, "192.0.2.1", 1, 2) }
        await expectRefusal(.invalidParameters) { try await alice.request(.restartIce(told.id)) }
        await expectRefusal(.invalidParameters) {
            try await alice.request(
                .connectWebRtcTransport(
                    .init(transportID: told.id, dtlsParameters: .init(fingerprints: [clientFingerprint]))))
        }
    }

    @Test func `RTP is sent to the requester and where the operator allows it, and the refusal names the option`()
        async throws
    {
        let fixture = try RoomFixture(plainDestinations: ["198.51.100.0/24"])
        let alice = try await fixture.connect("alice")
        func connect(_ ip: String) async throws -> SignalingResponse {
            let transport = try await open(
                alice, .init(comedia: false, rtcpMux: true, requesterAddress: "192.0.2.1"))
            return try await alice.request(.connectPlainTransport(.init(transportID: transport.id, ip: ip, port: 9)))
        }
        let forbidden = [
            ("127.0.0.1", "loopback"), ("10.0.0.1", "private"), ("169.254.169.254", "link-local"),
            ("192.0.2.2", "only"),
        ]
        for (ip, word) in forbidden {
            let error = await #expect(throws: RoomError.self) { _ = try await connect(ip) }
            let message = try #require(error).message
            #expect(error?.code == .forbidden)
            for part in ["--plain-destinations", ip, word] { #expect(message.contains(part), "\(message)") }
        }
        #expect(!fixture.plane.names.contains("connectPlainTransport"))
        _ = try await connect("192.0.2.1")
        _ = try await connect("198.51.100.77")
    }

    @Test func `it has one consumer of a producer, so that nobody multiplies a stream`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let producer = try await alice.produce(.audio, audioParameters())
        let other = try await alice.produce(.audio, audioParameters(ssrc: 77, mid: "other"))
        let bob = try await fixture.connect("bob")
        _ = try await bob.request(.join(JoinRequest(displayName: "Bob", consumesOnRequest: true)))
        let transport = try await open(bob)
        func consume(_ producer: ProducerID) async throws -> SignalingResponse {
            try await bob.request(
                .consume(
                    ConsumeRequest(
                        transportID: transport.id, producerID: producer, rtpCapabilities: receiverCapabilities)))
        }
        guard case .consumer(let first) = try await consume(producer) else { throw RoomError(.internalError, "none") }
        await expectRefusal(.wrongState) { try await consume(producer) }
        guard case .consumer(let second) = try await consume(other) else { throw RoomError(.internalError, "none") }
        await expectRefusal(.wrongState) {
            try await bob.request(.switchProducer(.init(consumerID: second.id, producerID: producer)))
        }
        _ = try await bob.request(.closeConsumer(first.id))
        _ = try await consume(producer)
        // A second transport is a second receiver.
        let again = try await open(bob)
        _ = try await bob.request(
            .consume(
                ConsumeRequest(transportID: again.id, producerID: producer, rtpCapabilities: receiverCapabilities)))
    }

    @Test func `it produces and consumes as others do`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let producer = try await alice.produce(.audio, audioParameters())
        let bob = try await fixture.connect("bob")
        _ = try await bob.request(
            .join(JoinRequest(displayName: "Bob", consumesOnRequest: true)))
        let transport = try await open(bob)
        var parameters = audioParameters(ssrc: 5)
        parameters.mid = nil
        parameters.headerExtensions = []
        let response = try await bob.request(
            .produce(ProduceRequest(transportID: transport.id, kind: .audio, rtpParameters: parameters)))
        guard case .producer = response else { throw RoomError(.internalError, "\(response)") }
        #expect(alice.client.offers.count == 1)
        let consumed = try await bob.request(
            .consume(
                ConsumeRequest(
                    transportID: transport.id, producerID: producer, rtpCapabilities: receiverCapabilities)))
        guard case .consumer(let consumer) = consumed else { throw RoomError(.internalError, "\(consumed)") }
        #expect(consumer.kind == .audio)
    }

    @Test func `its addresses are in events, snapshots and statistics, with mediasoup's names`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.connect("alice")
        let transport = try await open(alice)
        #expect(await !alice.room.hasConnected(transport.id))
        let opened = fixture.plane.commands.compactMap { command -> (TransportKey, EventQueue)? in
            if case .openPlainTransport(let key, _, _, let queue) = command { (key, queue) } else { nil }
        }
        let (key, queue) = try #require(opened.first)
        let tuples = PlainTuples(
            rtp: PlainTuple(localAddress: "127.0.0.1", localPort: 7, remoteAddress: "192.0.2.9", remotePort: 8),
            rtcp: PlainTuple(localAddress: "127.0.0.1", localPort: 9))
        queue.append(.plainTuplesChanged(key, tuples))
        await alice.room.drain()
        #expect(await alice.room.hasConnected(transport.id))
        let snapshot = await alice.room.snapshot()
        let entry = try #require(snapshot.peers.first?.transports.first)
        #expect(entry.path == .plain(PlainTransportState(comedia: true, rtcpMux: false, tuples: tuples)))
        let shown = fields(entry.json)
        #expect(shown["type"] == .string("plain"))
        #expect(shown["iceState"] == nil)
        #expect(fields(shown["tuple"])["remotePort"] == .integer(8))
        #expect(fields(shown["rtcpTuple"])["remoteIp"] == nil)
        let state = await alice.room.state
        let collected = CollectedStatistics(transports: [key: TransportStatistics(key: key)], isComplete: true)
        let statistics = fields(state.statistics(.transport(transport.id), collected, timestamp: 7)?.first)
        #expect(statistics["type"] == .string("plain-rtp-transport"))
        #expect(statistics["comedia"] == .bool(true))
        #expect(statistics["rtcpMux"] == .bool(false))
        #expect(fields(statistics["tuple"])["remoteIp"] == .string("192.0.2.9"))
        #expect(statistics["iceRole"] == nil)
        #expect(statistics["bytesReceived"] != nil)
    }

    @Test(
        arguments: [
            ([], ""), ([0x66], "Zg=="), ([0x66, 0x6F], "Zm8="), ([0x66, 0x6F, 0x6F], "Zm9v"),
            ([0x66, 0x6F, 0x6F, 0x62], "Zm9vYg=="), ([0xFB, 0xFF, 0xFE], "+//+"),
        ] as [([UInt8], String)]) func `Base64 is as RFC 4648 has it`(bytes: [UInt8], text: String)
    {
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
    }

    @Test(arguments: ["A", "Zg=", "Zg", "Z===", "====", "=m9v", "Zm=v", "Zm9v====", "Zm 9", "Zm9-", "Zß"])
    func `what is no Base64 is refused`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func `fields of requests are read, and wrong ones named`() throws {
        let create = try CreatePlainTransportRequest(JSONReader(json(#"{"rtcpMux": true, "enableSrtp": true}"#)))
        #expect(create == .init(comedia: true, rtcpMux: true, cryptoSuite: .aes128CMHMACSHA1x80))
        #expect(try CreatePlainTransportRequest(JSONReader(json("{}"))) == .init())
        for (text, path) in [
            (#"{"comedia": 1}"#, "comedia"), (#"{"enableSrtp": "x"}"#, "enableSrtp"),
            (#"{"enableSrtp": true, "srtpCryptoSuite": "x"}"#, "srtpCryptoSuite"),
        ] {
            let error = #expect(throws: JSONFieldError.self) {
                try CreatePlainTransportRequest(JSONReader(json(text)))
            }
            #expect(error?.path == path)
        }
        for (text, path) in [
            (#"{"port": 0}"#, "port"), (#"{"port": 65536}"#, "port"), (#"{"rtcpPort": -1}"#, "rtcpPort"),
            (#"{"ip": 1}"#, "ip"), (#"{"srtpParameters": {}}"#, "srtpParameters.cryptoSuite"),
            (
                #"{"srtpParameters": {"cryptoSuite": "AEAD_AES_128_GCM", "keyBase64": "AA=="}}"#,
                "srtpParameters.keyBase64"
            ),
        ] {
            let error = #expect(throws: JSONFieldError.self) {
                try ConnectPlainTransportRequest(transportID: TransportID("t"), JSONReader(json(text)))
            }
            #expect(error?.path == path)
        }
    }
}
