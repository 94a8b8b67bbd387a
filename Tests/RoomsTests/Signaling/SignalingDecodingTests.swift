import RoundhouseMedia
import Testing

@testable import RoundhouseRooms

@Suite struct SignalingDecodingTests {
    private static let codec = #"{"mimeType":"video/VP8","payloadType":96,"clockRate":90000}"#

    /// A `produce` with one part replaced.
    private func produce(_ parameters: String) throws -> JSONValue {
        try json(#"{"transportId":"t","kind":"video","rtpParameters":\#(parameters)}"#)
    }

    private func refusal(_ method: String, _ data: JSONValue) -> String? {
        do {
            _ = try SignalingRequest(method: method, data: data)
            return nil
        } catch {
            #expect(error.code == .invalidRequest)
            return error.message
        }
    }

    @Test(arguments: [
        ("[]", "rtpParameters: params is not an object"),
        ("{}", "rtpParameters.codecs: missing params.codecs"),
        (#"{"codecs":{}}"#, "rtpParameters.codecs: missing params.codecs"),
        (#"{"codecs":[],"mid":5}"#, "rtpParameters.mid: params.mid is not a string"),
        (#"{"codecs":[1]}"#, "rtpParameters.codecs[0]: codec is not an object"),
        (#"{"codecs":[{}]}"#, "rtpParameters.codecs[0].mimeType: missing codec.mimeType"),
        (#"{"codecs":[{"mimeType":"VP8"}]}"#, "rtpParameters.codecs[0].mimeType: invalid codec.mimeType"),
        (#"{"codecs":[{"mimeType":"text/VP8"}]}"#, "rtpParameters.codecs[0].mimeType: invalid codec.mimeType"),
        (#"{"codecs":[{"mimeType":"video/VP8"}]}"#, "rtpParameters.codecs[0].payloadType: missing codec.payloadType"),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":128}]}"#,
            "rtpParameters.codecs[0].payloadType: missing codec.payloadType"
        ),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":96}]}"#,
            "rtpParameters.codecs[0].clockRate: missing codec.clockRate"
        ),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":96,"clockRate":-1}]}"#,
            "rtpParameters.codecs[0].clockRate: missing codec.clockRate"
        ),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":96,"clockRate":9,"parameters":{"a":{}}}]}"#,
            "rtpParameters.codecs[0].parameters.a: invalid codec parameter [key:a]"
        ),
        (
            #"{"codecs":[{"mimeType":"video/rtx","payloadType":96,"clockRate":9,"parameters":{"apt":"97"}}]}"#,
            "rtpParameters.codecs[0].parameters.apt: invalid codec apt parameter"
        ),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":96,"clockRate":9,"rtcpFeedback":[{}]}]}"#,
            "rtpParameters.codecs[0].rtcpFeedback[0].type: missing fb.type"
        ),
        (
            #"{"codecs":[{"mimeType":"video/VP8","payloadType":96,"clockRate":9,"rtcpFeedback":[3]}]}"#,
            "rtpParameters.codecs[0].rtcpFeedback[0]: fb is not an object"
        ),
        (
            #"{"codecs":[],"headerExtensions":1}"#,
            "rtpParameters.headerExtensions: params.headerExtensions is not an array"
        ),
        (#"{"codecs":[],"headerExtensions":[1]}"#, "rtpParameters.headerExtensions[0]: ext is not an object"),
        (#"{"codecs":[],"headerExtensions":[{"id":1}]}"#, "rtpParameters.headerExtensions[0].uri: missing ext.uri"),
        (#"{"codecs":[],"headerExtensions":[{"uri":"u"}]}"#, "rtpParameters.headerExtensions[0].id: missing ext.id"),
        (
            #"{"codecs":[],"headerExtensions":[{"uri":"u","id":1,"encrypt":1}]}"#,
            "rtpParameters.headerExtensions[0].encrypt: invalid ext.encrypt"
        ),
        (
            #"{"codecs":[],"headerExtensions":[{"uri":"u","id":1,"parameters":{"x":[]}}]}"#,
            "rtpParameters.headerExtensions[0].parameters.x: invalid header extension parameter [key:x]"
        ),
        (#"{"codecs":[],"encodings":1}"#, "rtpParameters.encodings: params.encodings is not an array"),
        (#"{"codecs":[],"encodings":[1]}"#, "rtpParameters.encodings[0]: encoding is not an object"),
        (#"{"codecs":[],"encodings":[{"ssrc":"1"}]}"#, "rtpParameters.encodings[0].ssrc: invalid encoding.ssrc"),
        (#"{"codecs":[],"encodings":[{"ssrc":4294967296}]}"#, "rtpParameters.encodings[0].ssrc: invalid encoding.ssrc"),
        (#"{"codecs":[],"encodings":[{"rid":1}]}"#, "rtpParameters.encodings[0].rid: invalid encoding.rid"),
        (#"{"codecs":[],"encodings":[{"rtx":1}]}"#, "rtpParameters.encodings[0].rtx: invalid encoding.rtx"),
        (#"{"codecs":[],"encodings":[{"rtx":{}}]}"#, "rtpParameters.encodings[0].rtx.ssrc: missing encoding.rtx.ssrc"),
        (
            #"{"codecs":[],"encodings":[{"scalabilityMode":3}]}"#,
            "rtpParameters.encodings[0].scalabilityMode: invalid encoding.scalabilityMode"
        ),
        (#"{"codecs":[],"rtcp":1}"#, "rtpParameters.rtcp: rtcp is not an object"),
        (#"{"codecs":[],"rtcp":{"cname":1}}"#, "rtpParameters.rtcp.cname: invalid rtcp.cname"),
    ])
    func `wrong RTP parameters are refused with the field's path and mediasoup's message`(
        parameters: String, message: String
    ) throws {
        #expect(refusal("produce", try produce(parameters)) == message)
    }

    @Test(arguments: [
        ("1", "rtpCapabilities: caps is not an object"),
        (#"{"codecs":1}"#, "rtpCapabilities.codecs: caps.codecs is not an array"),
        (#"{"headerExtensions":1}"#, "rtpCapabilities.headerExtensions: caps.headerExtensions is not an array"),
        (
            #"{"codecs":[{"mimeType":"audio/opus","clockRate":48000,"preferredPayloadType":"x"}]}"#,
            "rtpCapabilities.codecs[0].preferredPayloadType: invalid codec.preferredPayloadType"
        ),
        (#"{"headerExtensions":[{"uri":"u"}]}"#, "rtpCapabilities.headerExtensions[0].kind: invalid ext.kind"),
        (
            #"{"headerExtensions":[{"kind":"audio"}]}"#, "rtpCapabilities.headerExtensions[0].uri: missing ext.uri"
        ),
        (
            #"{"headerExtensions":[{"kind":"audio","uri":"u"}]}"#,
            "rtpCapabilities.headerExtensions[0].preferredId: missing ext.preferredId"
        ),
        (
            #"{"headerExtensions":[{"kind":"audio","uri":"u","preferredId":1,"preferredEncrypt":1}]}"#,
            "rtpCapabilities.headerExtensions[0].preferredEncrypt: invalid ext.preferredEncrypt"
        ),
        (
            #"{"headerExtensions":[{"kind":"audio","uri":"u","preferredId":1,"direction":"up"}]}"#,
            "rtpCapabilities.headerExtensions[0].direction: invalid ext.direction"
        ),
    ])
    func `wrong capabilities are refused with the field's path and mediasoup's message`(
        capabilities: String, message: String
    ) throws {
        #expect(refusal("join", try json(#"{"displayName":"a","rtpCapabilities":\#(capabilities)}"#)) == message)
    }

    @Test(arguments: [
        ("join", #"{"displayName":1}"#, "displayName: not a string"),
        ("join", "[]", "not an object"),
        ("produce", #"{"kind":"text"}"#, #"kind: invalid kind "text""#),
        ("produce", "{}", "kind: missing"),
        ("connectWebRtcTransport", #"{"transportId":"t"}"#, "dtlsParameters: missing"),
        (
            "connectWebRtcTransport", #"{"transportId":"t","dtlsParameters":{"fingerprints":[]}}"#,
            "dtlsParameters.fingerprints: empty"
        ),
        (
            "connectWebRtcTransport",
            #"{"transportId":"t","dtlsParameters":{"fingerprints":[{"algorithm":"md5","value":"00"}]}}"#,
            "dtlsParameters.fingerprints: none by sha-1, sha-224, sha-256, sha-384, sha-512"
        ),
        (
            "connectWebRtcTransport",
            #"{"transportId":"t","dtlsParameters":{"fingerprints":[{"algorithm":"sha-1","value":"00"}]}}"#,
            "dtlsParameters.fingerprints[0].value: not 20 hexadecimal pairs with colons between"
        ),
        (
            "connectWebRtcTransport", #"{"transportId":"t","dtlsParameters":{"role":"x","fingerprints":[]}}"#,
            "dtlsParameters.role: not one of auto, client, server"
        ),
        ("pauseProducer", "{}", "producerId: missing"),
        ("resumeConsumer", #"{"consumerId":7}"#, "consumerId: not a string"),
        ("setConsumerPriority", #"{"consumerId":"c","priority":"x"}"#, "priority: not a whole number in range"),
    ])
    func `wrong requests are refused with the field's path`(method: String, data: String, message: String) throws {
        #expect(refusal(method, try json(data)) == message)
    }

    @Test func `an unknown method is refused`() {
        #expect(throws: RoomError(.unknownMethod, #"unknown request.method "sing""#)) {
            try SignalingRequest(method: "sing", data: .object([:]))
        }
    }

    @Test func `absent fields get mediasoup's defaults`() throws {
        let request = try SignalingRequest(
            method: "produce",
            data: json(
                #"""
                {"transportId":"t","kind":"audio","rtpParameters":{"codecs":[{"mimeType":"audio/opus","payloadType":111,
                "clockRate":48000,"parameters":{"x":null},"rtcpFeedback":[{"type":"nack"}]},{"mimeType":"video/VP8",
                "payloadType":96,"clockRate":90000,"channels":2}]}}
                """#))
        guard case .produce(let produce) = request else {
            Issue.record("\(request)")
            return
        }
        let codecs = produce.rtpParameters.codecs
        #expect(codecs.map(\.channels) == [1, nil])
        #expect(codecs[0].parameters == ["x": .string("")])
        #expect(codecs[0].rtcpFeedback == [RTCPFeedback(type: "nack", parameter: "")])
        #expect(produce.rtpParameters.rtcp.reducedSize)
        #expect(produce.appData == .object([:]))
        #expect(!produce.isPaused)
    }

    @Test func `what everybody hears of a track is bounded`() throws {
        func produce(appData: Int, parameter: Int) -> String? {
            let text = """
                {"transportId":"t","kind":"audio","appData":{"x":"\(String(repeating: "x", count: appData))"},
                "rtpParameters":{"codecs":[{"mimeType":"audio/opus","payloadType":100,"clockRate":48000,
                "parameters":{"x":"\(String(repeating: "x", count: parameter))"}}],"encodings":[{"ssrc":1}]}}
                """
            do {
                _ = try SignalingRequest(method: "produce", data: try JSONValue(parsing: text))
                return nil
            } catch {
                return (error as? RoomError)?.message
            }
        }
        #expect(produce(appData: 4000, parameter: 16_000) == nil)
        #expect(produce(appData: 4096, parameter: 0)?.contains("appData: longer than 4096 bytes") == true)
        #expect(produce(appData: 0, parameter: 16_384)?.contains("rtpParameters: longer than 16384 bytes") == true)
    }

    @Test func `capabilities and parameters survive their JSON`() throws {
        #expect(try RTPCapabilities(JSONReader(receiverCapabilities.json)) == receiverCapabilities)
        #expect(try RTPParameters(JSONReader(simulcastParameters().json)) == simulcastParameters())
        let router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs)
        #expect(try RTPCapabilities(JSONReader(JSONValue(parsing: router.json.text))) == router)
    }

    @Test func `huge arrays and names are refused`() throws {
        let codecs = Array(repeating: try json(Self.codec), count: 129)
        let data = JSONValue.object(["codecs": .array(codecs)])
        #expect(throws: JSONFieldError.self) { try RTPParameters(JSONReader(data)) }
        #expect(
            refusal("changeDisplayName", .object(["displayName": .string(String(repeating: "a", count: 257))])) != nil)
    }
}

@Suite struct SignalingEncodingTests {
    @Test func `notifications have the fields of the 2024 protocol`() {
        let peer = PeerDescription(id: PeerID("p"), displayName: "P", device: DeviceDescription(name: "Chrome"))
        let id = ConsumerID("c")
        let table: [(ServerNotification, String, String)] = [
            (.mediasoupVersion("3"), "mediasoup-version", #"{"version":"3"}"#),
            (.newPeer(peer), "newPeer", #"{"device":{"name":"Chrome"},"displayName":"P","id":"p"}"#),
            (.peerClosed(PeerID("p"), .left), "peerClosed", #"{"peerId":"p"}"#),
            (
                .peerDisplayNameChanged(PeerID("p"), displayName: "N", oldDisplayName: "O"), "peerDisplayNameChanged",
                #"{"displayName":"N","oldDisplayName":"O","peerId":"p"}"#
            ),
            (
                .producerScore(ProducerID("x"), [ProducerScore(encodingIndex: 0, ssrc: 5, rid: "r0", score: 9)]),
                "producerScore", #"{"producerId":"x","score":[{"encodingIdx":0,"rid":"r0","score":9,"ssrc":5}]}"#
            ),
            (
                .consumerScore(id, ConsumerScore(score: 10, producerScore: 9, producerScores: [9])), "consumerScore",
                #"{"consumerId":"c","score":{"producerScore":9,"producerScores":[9],"score":10}}"#
            ),
            (.producerPaused(ProducerID("x")), "producerPaused", #"{"producerId":"x"}"#),
            (.producerResumed(ProducerID("x")), "producerResumed", #"{"producerId":"x"}"#),
            (.consumerClosed(id), "consumerClosed", #"{"consumerId":"c"}"#),
            (.consumerPaused(id), "consumerPaused", #"{"consumerId":"c"}"#),
            (.consumerResumed(id), "consumerResumed", #"{"consumerId":"c"}"#),
            (
                .consumerLayersChanged(id, spatialLayer: 1, temporalLayer: nil), "consumerLayersChanged",
                #"{"consumerId":"c","spatialLayer":1,"temporalLayer":null}"#
            ),
            (
                .consumerLayersChanged(id, spatialLayer: 0, temporalLayer: 1, reason: .budget),
                "consumerLayersChanged",
                #"{"consumerId":"c","reason":"budget","spatialLayer":0,"temporalLayer":1}"#
            ),
            (
                .downlinkBwe(desiredBitrate: 1, effectiveDesiredBitrate: 2, availableBitrate: 3), "downlinkBwe",
                #"{"availableBitrate":3,"desiredBitrate":1,"effectiveDesiredBitrate":2}"#
            ),
            (.activeSpeaker(nil, volume: nil), "activeSpeaker", #"{"peerId":null}"#),
            (.activeSpeaker(PeerID("p"), volume: -30), "activeSpeaker", #"{"peerId":"p","volume":-30}"#),
        ]
        for (notification, method, text) in table {
            #expect(notification.method == method)
            #expect(notification.json.text == text)
        }
    }

    @Test func `what nearly valid clients send is taken`() throws {
        for (given, taken) in [("1050000.0000000001", 1_050_000), ("1.5e6", 1_500_000), ("700000.9", 700_000)] {
            let reader = JSONReader(try json(#"{"ssrc":1,"maxBitrate":\#(given)}"#))
            #expect(try RTPEncodingParameters(reader).maxBitrate == UInt32(taken))
        }
        for given in ["-1", "4294967296", "\"1\"", "1e300"] {
            let reader = JSONReader(try json(#"{"ssrc":1,"maxBitrate":\#(given)}"#))
            #expect(throws: JSONFieldError.self) { try RTPEncodingParameters(reader) }
        }
        for (given, taken) in [("120", "120"), ("12.5", "12.5"), ("\"12\"", "12")] {
            #expect(try DeviceDescription(JSONReader(try json(#"{"version":\#(given)}"#))).version == taken)
        }
        let known = Array(repeating: "AB", count: 32).joined(separator: ":")
        let parameters = try RemoteDTLSParameters(
            JSONReader(
                try json(
                    #"{"fingerprints":[{"algorithm":"sha3-256","value":"AA"},{"algorithm":"sha-256","value":"\#(known)"}]}"#
                )))
        #expect(parameters.fingerprints.map(\.algorithm) == [.sha256])
    }

    @Test func `candidates carry both ip and address, and TCP ones their type`() {
        let endpoint = ShardEndpoint(addresses: [
            CandidateAddress(address: "192.0.2.1", port: 44444, transport: .udp),
            CandidateAddress(address: "192.0.2.1", port: 44444, transport: .tcp),
        ])
        let candidates = ICECandidate.candidates(of: endpoint)
        #expect(
            candidates[0].json.text
                == #"{"address":"192.0.2.1","foundation":"1","ip":"192.0.2.1","port":44444,"priority":1076302079,"#
                + #""protocol":"udp","type":"host"}"#)
        #expect(candidates[1].json.text.contains(#""tcpType":"passive""#))
        #expect(candidates[0].priority > candidates[1].priority)
        // RFC 8445 §5.1.1.3: only candidates of one base and protocol share a foundation.
        #expect(candidates.map(\.foundation) == ["1", "2"])
    }

    @Test func `every error code has its own stable name and a status`() {
        let codes = RoomError.Code.allCases
        #expect(Set(codes.map(\.name)).count == codes.count)
        for code in codes {
            #expect((400..<600).contains(code.httpStatus))
            #expect(code.name.allSatisfy { $0.isLowercase || $0 == "-" })
        }
    }
}
