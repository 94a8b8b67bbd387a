import RoundhouseMedia
import Testing

@testable import RoundhouseRooms

@Suite struct ORTCRouterTests {
    /// The codecs of mediasoup's first ORTC test, with the rules it asserts.
    @Test func `router capabilities follow mediasoup's payload types and parameters`() throws {
        let capabilities = try ORTC.routerCapabilities(mediaCodecs: [
            RTPCodecCapability(
                kind: .audio, mimeType: "audio/opus", clockRate: 48000, channels: 2,
                parameters: ["useinbandfec": .integer(1), "foo": .string("bar")]),
            RTPCodecCapability(
                kind: .video, mimeType: "video/VP8", preferredPayloadType: 125, clockRate: 90000,
                rtcpFeedback: [RTCPFeedback(type: "ignored")]),
            RTPCodecCapability(
                kind: .video, mimeType: "video/H264", clockRate: 90000,
                parameters: [
                    "level-asymmetry-allowed": .integer(1), "profile-level-id": .string("42e01f"),
                    "foo": .string("bar"),
                ]),
        ])
        #expect(
            capabilities.codecs.map(\.mimeType) == ["audio/opus", "video/VP8", "video/rtx", "video/H264", "video/rtx"])
        #expect(capabilities.codecs.map(\.preferredPayloadType) == [100, 125, 101, 102, 103])
        #expect(capabilities.codecs[0].parameters == ["useinbandfec": .integer(1), "foo": .string("bar")])
        #expect(capabilities.codecs[0].rtcpFeedback == [.init(type: "nack"), .init(type: "transport-cc")])
        #expect(
            capabilities.codecs[1].rtcpFeedback == [
                .init(type: "nack"), .init(type: "nack", parameter: "pli"), .init(type: "ccm", parameter: "fir"),
                .init(type: "goog-remb"), .init(type: "transport-cc"),
            ])
        #expect(capabilities.codecs[2].parameters == ["apt": .integer(125)])
        #expect(capabilities.codecs[2].rtcpFeedback.isEmpty)
        #expect(
            capabilities.codecs[3].parameters == [
                "level-asymmetry-allowed": .integer(1), "profile-level-id": .string("42e01f"), "foo": .string("bar"),
            ])
        #expect(capabilities.codecs[4].parameters == ["apt": .integer(102)])
    }

    @Test(arguments: [("audio/chicken", UInt8(2)), ("audio/opus", 1), ("audio/multiopus", 5)])
    func `a codec that is not supported is refused`(mimeType: String, channels: UInt8) {
        #expect(throws: ORTCError.unsupported("media codec not supported [mimeType:\(mimeType)]")) {
            try ORTC.routerCapabilities(mediaCodecs: [
                RTPCodecCapability(kind: .audio, mimeType: mimeType, clockRate: 48000, channels: channels)
            ])
        }
    }

    @Test func `multiopus needs the table's streams`() throws {
        func codec(_ streams: Int) -> RTPCodecCapability {
            RTPCodecCapability(
                kind: .audio, mimeType: "audio/multiopus", clockRate: 48000, channels: 6,
                parameters: ["num_streams": .integer(streams), "coupled_streams": .integer(2)])
        }
        #expect(try ORTC.routerCapabilities(mediaCodecs: [codec(4)]).codecs.count == 1)
        #expect(throws: ORTCError.self) { try ORTC.routerCapabilities(mediaCodecs: [codec(2)]) }
    }

    @Test func `a hundred codecs do not fit into the payload types`() {
        let opus = RTPCodecCapability(kind: .audio, mimeType: "audio/opus", clockRate: 48000, channels: 2)
        #expect(throws: ORTCError.invalid("cannot allocate more dynamic codec payload types")) {
            try ORTC.routerCapabilities(mediaCodecs: Array(repeating: opus, count: 100))
        }
        #expect(throws: Never.self) { try ORTC.routerCapabilities(mediaCodecs: Array(repeating: opus, count: 32)) }
    }

    @Test func `a payload type given twice is refused`() {
        let codec = RTPCodecCapability(kind: .video, mimeType: "video/VP8", preferredPayloadType: 110, clockRate: 90000)
        #expect(throws: ORTCError.invalid("duplicated codec.preferredPayloadType")) {
            try ORTC.routerCapabilities(mediaCodecs: [codec, codec])
        }
    }

    @Test func `fixed payload types are kept`() throws {
        let names = ["PCMU", "PCMA", "G722"]
        let codecs = names.map { RTPCodecCapability(kind: .audio, mimeType: "audio/\($0)", clockRate: 8000) }
        #expect(try ORTC.routerCapabilities(mediaCodecs: codecs).codecs.map(\.preferredPayloadType) == [0, 8, 9])
    }

    @Test func `every video codec has its RTX and the default codecs are all supported`() throws {
        let capabilities = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs)
        let video = capabilities.codecs.filter { $0.kind == .video && !$0.isRTX }
        #expect(
            video.map(\.codecKind) == [.vp8, .vp9, .h264, .h264, .av1] + Array(repeating: CodecKind.h264, count: 8))
        #expect(Set(capabilities.codecs.map(\.preferredPayloadType)).count == capabilities.codecs.count)
        for codec in video {
            #expect(capabilities.codecs.contains { $0.isRTX && $0.apt == codec.preferredPayloadType.map(Int.init) })
        }
    }

    @Test func `header extensions have the numbers the media plane uses`() {
        let table = Dictionary(grouping: ORTC.supportedHeaderExtensions, by: \.uri)
        #expect(table[HeaderExtension.mid.uri]?.allSatisfy { $0.preferredID == HeaderExtension.mid.routerID } == true)
        #expect(table[HeaderExtension.audioLevel.uri]?.map(\.kind) == [.audio])
        #expect(table[HeaderExtension.videoOrientation.uri]?.first?.preferredID == 8)
        let twcc = table[HeaderExtension.transportWideSequence.uri] ?? []
        #expect(twcc.map(\.direction) == [.sendrecv, .sendrecv])
        #expect(table[HeaderExtension.dependencyDescriptor.uri]?.map(\.direction) == [.sendrecv])
    }
}

@Suite struct H264ProfileTests {
    @Test(arguments: [
        ("42e01f", H264ProfileLevelID.Profile.constrainedBaseline), ("4d801f", .constrainedBaseline),
        ("58c01f", .constrainedBaseline), ("42001f", .baseline), ("58801f", .baseline), ("4d001f", .main),
        ("64001f", .high), ("640c1f", .constrainedHigh), ("f4001f", .high444Predictive),
    ])
    func `a profile is recognized by its bits`(text: String, profile: H264ProfileLevelID.Profile) {
        #expect(H264ProfileLevelID(text)?.profile == profile)
        #expect(H264ProfileLevelID(text)?.level.idc == 31)
    }

    @Test(arguments: ["", "42e0", "42e01g", "42e01f1", "42e000", "42e0ff", "64101f", "+2e01f", "000000"])
    func `what is no profile is refused`(text: String) { #expect(H264ProfileLevelID(text) == nil) }

    @Test(arguments: [
        ("42f00b", "42f00b"), ("42e01f", "42e01f"), ("42c01f", "42e01f"), ("42100b", "42100b"), ("4d100b", "4d100b"),
        ("42000a", "42000a"), ("640c2a", "640c2a"), ("f4001f", "f4001f"), ("58c01f", "42e01f"),
    ])
    func `a profile is written canonically`(text: String, canonical: String) {
        #expect(H264ProfileLevelID(text)?.text == canonical)
    }

    @Test func `level 1b lies between 1 and 1_1`() throws {
        let levels = try ["42e00a", "42f00b", "42e00b"].map { try #require(H264ProfileLevelID($0)).level }
        #expect(levels == levels.sorted())
        #expect(Set(levels).count == 3)
    }

    private func answer(_ local: String?, _ remote: String?, isAsymmetric: Bool) -> H264ProfileLevelID.Answer? {
        func parameters(_ text: String?) -> [String: CodecParameter] {
            var result: [String: CodecParameter] = isAsymmetric ? ["level-asymmetry-allowed": .integer(1)] : [:]
            if let text { result["profile-level-id"] = .string(text) }
            return result
        }
        return H264ProfileLevelID.answer(local: parameters(local), remote: parameters(remote))
    }

    @Test func `an answer keeps the local level with asymmetry and takes the lower without`() {
        #expect(answer("42e034", "42e01f", isAsymmetric: true) == .text("42e034"))
        #expect(answer("42e034", "42e01f", isAsymmetric: false) == .text("42e01f"))
        #expect(answer("42e01f", "42e034", isAsymmetric: false) == .text("42e01f"))
        #expect(answer(nil, nil, isAsymmetric: true) == H264ProfileLevelID.Answer.none)
        #expect(answer(nil, "42e034", isAsymmetric: false) == .text("42e01f"))
        #expect(answer("42e01f", "4d001f", isAsymmetric: true) == nil)
        #expect(answer("chicken", "42e01f", isAsymmetric: true) == nil)
    }

    @Test func `a profile of digits only may come as a number`() {
        let answer = H264ProfileLevelID.answer(
            local: ["profile-level-id": .integer(640032)], remote: ["profile-level-id": .string("640032")])
        #expect(answer == .text("640032"))
    }
}

@Suite struct ScalabilityModeTests {
    /// The cases of mediasoup's TestRtpEncodingParameters.
    @Test(arguments: [
        ("L1T3", 1, 3, false), ("S1T3", 1, 3, false), ("L3T2_KEY", 3, 2, true), ("S2T3", 2, 3, false),
        ("foo", 1, 1, false),
        ("", 1, 1, false), ("S0T3", 1, 1, false), ("S1T0", 1, 1, false), ("S20T3", 20, 3, false),
        ("S200T3", 1, 1, false),
        ("L4T7_KEY_SHIFT", 4, 7, true),
    ])
    func `a mode is read`(text: String, spatial: Int, temporal: Int, isKSVC: Bool) {
        let mode = ScalabilityMode(text)
        #expect(mode.spatialLayers == spatial)
        #expect(mode.temporalLayers == temporal)
        #expect(mode.isKSVC == isKSVC)
    }
}
