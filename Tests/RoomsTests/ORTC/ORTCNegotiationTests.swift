import RoundhouseMedia
import Testing

@testable import RoundhouseRooms

@Suite struct ORTCNegotiationTests {
    private func h264(_ payloadType: UInt8, _ parameters: [String: CodecParameter] = [:]) -> RTPCodecParameters {
        RTPCodecParameters(
            mimeType: "video/H264", payloadType: payloadType, clockRate: 90000, parameters: parameters,
            rtcpFeedback: [.init(type: "nack"), .init(type: "nack", parameter: "pli"), .init(type: "goog-remb")])
    }

    private func rtx(_ payloadType: UInt8, apt: Int) -> RTPCodecParameters {
        RTPCodecParameters(
            mimeType: "video/rtx", payloadType: payloadType, clockRate: 90000, parameters: ["apt": .integer(apt)])
    }

    /// mediasoup's fourth ORTC test: H.264 with three encodings from the producer to a consumer and a pipe.
    @Test func `a producer is mapped, made consumable, consumed and piped`() throws {
        let router = try ORTC.routerCapabilities(mediaCodecs: [
            RTPCodecCapability(kind: .audio, mimeType: "audio/opus", clockRate: 48000, channels: 2),
            RTPCodecCapability(
                kind: .video, mimeType: "video/H264", clockRate: 90000,
                parameters: [
                    "level-asymmetry-allowed": .integer(1), "packetization-mode": .integer(1),
                    "profile-level-id": .string("4d0032"), "foo": .string("lalala"),
                ]),
        ])
        let fmtp: [String: CodecParameter] = [
            "foo": .integer(1234), "packetization-mode": .integer(1), "profile-level-id": .string("4d0032"),
        ]
        let parameters = RTPParameters(
            codecs: [h264(111, fmtp), rtx(112, apt: 111)],
            headerExtensions: [
                RTPHeaderExtensionParameters(uri: HeaderExtension.mid.uri, id: 1),
                RTPHeaderExtensionParameters(uri: HeaderExtension.videoOrientation.uri, id: 2),
            ],
            encodings: [
                RTPEncodingParameters(
                    ssrc: 11_111_111, rtxSSRC: 11_111_112, scalabilityMode: "L1T3", maxBitrate: 111_111),
                RTPEncodingParameters(
                    ssrc: 21_111_111, rtxSSRC: 21_111_112, scalabilityMode: "L1T3", maxBitrate: 222_222),
                RTPEncodingParameters(rid: "high", scalabilityMode: "L1T3", maxBitrate: 333_333),
            ], rtcp: RTCPParameters(cname: "qwerty1234"))
        try ORTC.validate(parameters, kind: .video)
        let mapping = try ORTC.producerMapping(parameters, router: router, firstMappedSSRC: 500)
        #expect(mapping.codecs.map(\.payloadType) == [111, 112])
        #expect(mapping.codecs.map(\.mappedPayloadType) == [101, 102])
        #expect(mapping.encodings.map(\.ssrc) == [11_111_111, 21_111_111, nil])
        #expect(mapping.encodings.map(\.rid) == [nil, nil, "high"])
        #expect(mapping.encodings.map(\.mappedSSRC) == [500, 501, 502])

        let consumable = ORTC.consumableParameters(kind: .video, mapping: mapping, router: router, cname: "qwerty1234")
        #expect(consumable.codecs.map(\.payloadType) == [101, 102])
        #expect(consumable.codecs[0].parameters == fmtp)
        #expect(consumable.encodings.map(\.ssrc) == [500, 501, 502])
        #expect(consumable.encodings.allSatisfy { $0.rid == nil && $0.rtxSSRC == nil })
        #expect(consumable.rtcp == RTCPParameters(cname: "qwerty1234", reducedSize: true))

        let remote = RTPCapabilities(
            codecs: [
                RTPCodecCapability(
                    kind: .audio, mimeType: "audio/opus", preferredPayloadType: 100, clockRate: 48000, channels: 2),
                RTPCodecCapability(
                    kind: .video, mimeType: "video/H264", preferredPayloadType: 101, clockRate: 90000,
                    parameters: [
                        "packetization-mode": .integer(1), "profile-level-id": .string("4d0032"),
                        "baz": .string("LOLOLO"),
                    ],
                    rtcpFeedback: [
                        .init(type: "nack"), .init(type: "nack", parameter: "pli"),
                        .init(type: "foo", parameter: "FOO"),
                    ]),
                RTPCodecCapability(
                    kind: .video, mimeType: "video/rtx", preferredPayloadType: 102, clockRate: 90000,
                    parameters: ["apt": .integer(101)]),
            ],
            headerExtensions: [
                RTPHeaderExtension(kind: .video, uri: HeaderExtension.mid.uri, preferredID: 1),
                RTPHeaderExtension(kind: .video, uri: HeaderExtension.videoOrientation.uri, preferredID: 8),
                RTPHeaderExtension(kind: .video, uri: HeaderExtension.transmissionOffset.uri, preferredID: 9),
                RTPHeaderExtension(kind: .video, uri: HeaderExtension.absCaptureTime.uri, preferredID: 3),
            ])
        #expect(ORTC.canConsume(consumable, remote))
        let consumer = try ORTC.consumerParameters(consumable, remote, ssrc: 900)
        #expect(consumer.codecs.map(\.payloadType) == [101, 102])
        #expect(
            consumer.codecs[0].rtcpFeedback == [
                .init(type: "nack"), .init(type: "nack", parameter: "pli"), .init(type: "foo", parameter: "FOO"),
            ])
        #expect(
            consumer.encodings == [
                RTPEncodingParameters(ssrc: 900, rtxSSRC: 901, scalabilityMode: "L3T3", maxBitrate: 333_333)
            ])
        // An extension with another number than the router's is dropped.
        #expect(consumer.headerExtensions.map(\.id) == [1, 8, 9])
        #expect(consumer.rtcp == RTCPParameters(cname: "qwerty1234", reducedSize: true))

        let pipe = ORTC.pipeConsumerParameters(consumable, firstSSRC: 700, firstRTXSSRC: 800)
        #expect(pipe.codecs.map(\.payloadType) == [101])
        #expect(
            pipe.codecs[0].rtcpFeedback == [
                .init(type: "nack", parameter: "pli"), .init(type: "ccm", parameter: "fir"),
            ])
        #expect(pipe.encodings.map(\.ssrc) == [700, 701, 702])
        #expect(pipe.encodings.allSatisfy { $0.rtxSSRC == nil && $0.scalabilityMode == "L1T3" })
        #expect(pipe.encodings.map(\.maxBitrate) == [111_111, 222_222, 333_333])
        #expect(pipe.headerExtensions.allSatisfy { $0.uri != HeaderExtension.mid.uri })
        let pipeWithRTX = ORTC.pipeConsumerParameters(consumable, firstSSRC: 700, firstRTXSSRC: 800, enableRTX: true)
        #expect(pipeWithRTX.codecs.map(\.payloadType) == [101, 102])
        #expect(pipeWithRTX.encodings.map(\.rtxSSRC) == [800, 801, 802])
        #expect(pipeWithRTX.codecs[0].rtcpFeedback.contains(.init(type: "nack")))
    }

    private let router: RTPCapabilities

    init() throws { router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs) }

    private func mapping(_ parameters: RTPParameters) throws -> ProducerMapping {
        try ORTC.producerMapping(parameters, router: router, firstMappedSSRC: 1000)
    }

    @Test func `a codec the router lacks is refused`() throws {
        let opusOnly = try ORTC.routerCapabilities(mediaCodecs: [RoomConfiguration.defaultMediaCodecs[0]])
        #expect(throws: ORTCError.unsupported("unsupported codec [mimeType:video/VP8, payloadType:96]")) {
            try ORTC.producerMapping(simulcastParameters(), router: opusOnly, firstMappedSSRC: 1)
        }
    }

    @Test func `H264 matches by packetization mode and profile`() throws {
        let main = try mapping(
            RTPParameters(
                mid: "0",
                codecs: [h264(50, ["packetization-mode": .integer(1), "profile-level-id": .string("4d001f")])]))
        let target = main.mapped(50)
        let codec = router.codecs.first { $0.preferredPayloadType == target }
        #expect(codec?.parameters["profile-level-id"] == .string("4d0032"))
        for parameters: [String: CodecParameter] in [
            ["packetization-mode": .integer(2), "profile-level-id": .string("42e01f")],
            ["packetization-mode": .integer(1), "profile-level-id": .string("f4001f")],
            ["packetization-mode": .integer(1), "profile-level-id": .string("chicken")],
        ] {
            #expect(throws: ORTCError.self) { try mapping(RTPParameters(mid: "0", codecs: [h264(50, parameters)])) }
        }
    }

    @Test(arguments: ["42001f", "42e01f", "4d001f", "64001f", "640c1f"], [0, 1])
    func `H264 of a browser's profile goes to those that decode it and to nobody else`(
        _ profile: String, _ mode: Int
    ) throws {
        let own: [String: CodecParameter] = [
            "profile-level-id": .string(profile), "packetization-mode": .integer(mode),
            "level-asymmetry-allowed": .integer(1),
        ]
        let mapping = try mapping(RTPParameters(mid: "0", codecs: [h264(50, own)]))
        let consumable = ORTC.consumableParameters(kind: .video, mapping: mapping, router: router, cname: "")
        for other in ["42001f", "42e01f", "4d001f", "64001f", "640c1f"] {
            for otherMode in [0, 1] {
                let receiver = RTPCapabilities(codecs: [
                    RTPCodecCapability(
                        kind: .video, mimeType: "video/H264", preferredPayloadType: 96, clockRate: 90000,
                        parameters: [
                            "profile-level-id": .string(other), "packetization-mode": .integer(otherMode),
                            "level-asymmetry-allowed": .integer(1),
                        ])
                ])
                #expect(ORTC.canConsume(consumable, receiver) == (other == profile && otherMode == mode))
            }
        }
    }

    @Test func `the answered H264 level replaces the producer's own`() throws {
        // Without asymmetry on the producer's side the lower level counts.
        let result = try mapping(
            RTPParameters(
                mid: "0",
                codecs: [h264(50, ["packetization-mode": .integer(1), "profile-level-id": .string("42e034")])]))
        #expect(result.rtpParameters.codecs[0].parameters["profile-level-id"] == .string("42e01f"))
    }

    @Test func `VP9 matches by profile, and mime types without regard to case`() throws {
        func vp9(_ profile: Int?) -> RTPParameters {
            RTPParameters(
                mid: "0",
                codecs: [
                    RTPCodecParameters(
                        mimeType: "VIDEO/vp9", payloadType: 98, clockRate: 90000,
                        parameters: profile.map { ["profile-id": .integer($0)] } ?? [:])
                ])
        }
        #expect(throws: Never.self) { try mapping(vp9(0)) }
        #expect(throws: Never.self) { try mapping(vp9(nil)) }
        #expect(throws: ORTCError.self) { try mapping(vp9(2)) }
    }

    @Test func `a codec with a different clock rate or channels does not match`() {
        for (clockRate, channels) in [(UInt32(44100), UInt8(2)), (48000, 1)] {
            let codec = RTPCodecParameters(
                mimeType: "audio/opus", payloadType: 111, clockRate: clockRate, channels: channels)
            #expect(throws: ORTCError.self) { try mapping(RTPParameters(mid: "0", codecs: [codec])) }
        }
    }

    @Test func `without encodings there is one empty encoding`() throws {
        var parameters = audioParameters()
        parameters.encodings = []
        #expect(try mapping(parameters).encodings == [.init(mappedSSRC: 1000)])
    }

    @Test func `RTX has to refer to a media codec of the same parameters`() throws {
        for apt in [99, 98] {
            let parameters = RTPParameters(
                mid: "0", codecs: [simulcastParameters().codecs[0], rtx(97, apt: apt), rtx(98, apt: 96)])
            #expect(throws: ORTCError.self) { try ORTC.validate(parameters, kind: .video) }
        }
        #expect(throws: ORTCError.invalid("missing media codec found for RTX PT 97")) {
            try mapping(RTPParameters(mid: "0", codecs: [simulcastParameters().codecs[0], rtx(97, apt: 99)]))
        }
        let plain = RTPCapabilities(codecs: router.codecs.filter { !$0.isRTX })
        let error = #expect(throws: ORTCError.self) {
            try ORTC.producerMapping(simulcastParameters(), router: plain, firstMappedSSRC: 1)
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.hasPrefix("no RTX codec for capability codec PT") == true)
    }

    static let invalid: [(String, @Sendable (inout RTPParameters) -> Void)] = [
        ("empty params.codecs", { $0.codecs = [] }),
        (
            "no media codec found",
            {
                $0.codecs.removeFirst(); $0.codecs[0].parameters = [:]
            }
        ),
        ("duplicated codec.payloadType 96", { $0.codecs[1].payloadType = 96 }),
        ("invalid codec.mimeType", { $0.codecs[0].mimeType = "chicken" }),
        ("codec audio/opus is not of kind video", { $0.codecs[0].mimeType = "audio/opus" }),
        ("invalid codec apt parameter", { $0.codecs[1].parameters = ["apt": .string("96")] }),
        ("invalid ext.id", { $0.headerExtensions[0].id = 0 }),
        ("empty params.mid", { $0.mid = "" }),
        ("unknown encoding.codecPayloadType 97", { $0.encodings[0].codecPayloadType = 97 }),
        ("rid r0 is given twice", { $0.encodings[1].rid = "r0" }),
        (
            "ssrc 5 is given twice",
            {
                $0.encodings[0].ssrc = 5; $0.encodings[1].rtxSSRC = 5
            }
        ),
        (
            "encodings without ssrc and rid: with more than one, each needs one of them",
            { $0.encodings[1].rid = nil }
        ),
        (
            "the encoding has neither ssrc nor rid, and there is no mid",
            {
                $0.mid = nil; $0.encodings = [RTPEncodingParameters()]
            }
        ),
    ]

    @Test(arguments: invalid.indices)
    func `parameters that contradict themselves are refused`(index: Int) throws {
        var parameters = simulcastParameters()
        try ORTC.validate(parameters, kind: .video)
        Self.invalid[index].1(&parameters)
        #expect(throws: ORTCError.invalid(Self.invalid[index].0)) { try ORTC.validate(parameters, kind: .video) }
    }

    @Test func `the type comes from the encodings and their scalability mode`() throws {
        func type(_ mimeType: String, _ modes: [String?]) throws -> ProducerType {
            try ORTC.producerType(
                RTPParameters(
                    codecs: [RTPCodecParameters(mimeType: mimeType, payloadType: 96, clockRate: 90000)],
                    encodings: modes.map { RTPEncodingParameters(scalabilityMode: $0) }))
        }
        #expect(try type("video/VP8", [nil]) == .simple)
        #expect(try type("video/VP8", ["L1T3"]) == .simulcast)
        #expect(try type("video/VP8", [nil, nil]) == .simulcast)
        #expect(try type("video/VP9", ["L3T3_KEY"]) == .svc)
        #expect(try type("video/AV1", ["L2T1"]) == .svc)
        #expect(try type("audio/opus", [nil]) == .simple)
        #expect(throws: ORTCError.self) { try type("audio/opus", [nil, nil]) }
    }

    private func consumable(_ parameters: RTPParameters, _ kind: MediaKind) throws -> RTPParameters {
        ORTC.consumableParameters(kind: kind, mapping: try mapping(parameters), router: router, cname: "c")
    }

    @Test func `whether a producer can be consumed depends on a media codec in common`() throws {
        let vp8 = try consumable(simulcastParameters(), .video)
        #expect(ORTC.canConsume(vp8, receiverCapabilities))
        #expect(!ORTC.canConsume(vp8, RTPCapabilities()))
        let rtxOnly = RTPCapabilities(codecs: receiverCapabilities.codecs.filter(\.isRTX))
        #expect(!ORTC.canConsume(vp8, rtxOnly))
        #expect(throws: ORTCError.unsupported("no compatible media codecs")) {
            try ORTC.consumerParameters(vp8, rtxOnly, ssrc: 1)
        }
        // RTX matches RTX whatever it repairs: the first codec's says nothing about the second.
        var both = vp8
        let vp9 = RTPCodecParameters(mimeType: "video/VP9", payloadType: 98, clockRate: 90000)
        var rtx = try #require(vp8.codecs.first { $0.isRTX })
        rtx.payloadType = 99
        rtx.parameters["apt"] = .integer(98)
        both.codecs = [vp9, rtx] + vp8.codecs
        #expect(ORTC.canConsume(both, receiverCapabilities))
        let received = try ORTC.consumerParameters(both, receiverCapabilities, ssrc: 1)
        #expect(received.codecs.first?.mimeType == "video/VP8")
        #expect(throws: ORTCError.unsupported("no compatible media codecs")) {
            try ORTC.consumerParameters(vp8, RTPCapabilities(), ssrc: 1)
        }
    }

    @Test func `without RTX there is no NACK either`() throws {
        let vp8 = try consumable(simulcastParameters(), .video)
        let consumer = try ORTC.consumerParameters(vp8, receiverCapabilities, ssrc: 1, enableRTX: false)
        #expect(consumer.codecs.map(\.mimeType) == ["video/VP8"])
        #expect(!consumer.codecs[0].rtcpFeedback.contains(.init(type: "nack")))
        #expect(consumer.codecs[0].rtcpFeedback.contains(.init(type: "nack", parameter: "pli")))
        #expect(consumer.encodings[0].rtxSSRC == nil)
    }

    @Test func `one congestion control feedback is left`() throws {
        let vp8 = try consumable(simulcastParameters(), .video)
        func feedback(without uris: [String]) throws -> [String] {
            var capabilities = receiverCapabilities
            capabilities.headerExtensions.removeAll { uris.contains($0.uri) }
            return try ORTC.consumerParameters(vp8, capabilities, ssrc: 1).codecs[0].rtcpFeedback.map(\.type)
        }
        let wide = HeaderExtension.transportWideSequence.uri
        #expect(try feedback(without: []) == ["nack", "nack", "transport-cc"])
        #expect(try feedback(without: [wide]) == ["nack", "nack", "goog-remb"])
        #expect(try feedback(without: [wide, HeaderExtension.absSendTime.uri]) == ["nack", "nack"])
    }

    @Test func `extensions a consumer does not send are not consumable`() throws {
        let uris = try consumable(simulcastParameters(), .video).headerExtensions.map(\.uri)
        #expect(!uris.contains(HeaderExtension.rid.uri))
        #expect(uris.contains(HeaderExtension.dependencyDescriptor.uri))
        #expect(uris.contains(HeaderExtension.transportWideSequence.uri))
        let audio = try consumable(audioParameters(), .audio).headerExtensions.map(\.uri)
        // Otherwise than mediasoup's: a path that carries nothing but sound has to be judged, too.
        #expect(audio.contains(HeaderExtension.transportWideSequence.uri))
        #expect(audio.contains(HeaderExtension.audioLevel.uri))
    }

    @Test func `the media plane gets payload types, extensions and feedback as negotiated`() throws {
        let mapping = try mapping(simulcastParameters())
        let settings = ProducerSettings(
            kind: .video, mapping: mapping, cname: "c", isPaused: false, keyFrameRequestDelay: .zero)
        #expect(
            settings.codecs == [
                ProducerCodec(
                    codec: .vp8, clockRate: 90000, payloadType: 96, mappedPayloadType: 101, rtxPayloadType: 97,
                    mappedRTXPayloadType: 102, feedback: [.nack, .pictureLossIndication])
            ])
        #expect(settings.encodings.map(\.rid) == ["r0", "r1", "r2"])
        #expect(settings.headerExtensions[.transportWideSequence] == 3)
        #expect(settings.headerExtensions[.rid] == 10)
        #expect(settings.headerExtensions[.audioLevel] == 0)
        let consumable = try consumable(simulcastParameters(), .video)
        let consumer = ConsumerSettings(
            kind: .video, parameters: try ORTC.consumerParameters(consumable, receiverCapabilities, ssrc: 77),
            consumable: consumable, ssrc: 77, isPaused: true, isProducerPaused: false)
        #expect(consumer.rtxSSRC == SSRC(78))
        #expect(consumer.encodings == [SSRC(1000), SSRC(1001), SSRC(1002)])
        #expect(consumer.codecs.map(\.rtxPayloadType) == [102])
        #expect(consumer.headerExtensions[.transportWideSequence] == HeaderExtension.transportWideSequence.routerID)
    }
}
