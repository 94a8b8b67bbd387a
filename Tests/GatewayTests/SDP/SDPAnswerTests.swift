import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite("Offers are mapped, and answers written")
struct SDPAnswerTests {
    private let router: RTPCapabilities

    init() throws { router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs) }

    private func receiving(_ offer: SDPOffer) -> [SDPAnswer.Section] {
        offer.media.map { media in
            guard media.mayBeSentToUs, let parameters = media.producerParameters(for: router) else { return .rejected }
            return .receives(parameters)
        }
    }

    private func answer(_ offer: SDPOffer, _ sections: [SDPAnswer.Section]) throws -> SessionDescription {
        let fixed = TransportFixture.description
        let answer = SDPAnswer(offer: offer, sections: sections, transport: fixed, sessionID: 5).description
        // What is written can be read, by ourselves at least.
        #expect(try SessionDescription(parsing: Array(answer.text.utf8)) == answer)
        return answer
    }

    private func values(_ name: String, _ section: MediaDescription) -> [String] {
        section.attributes.filter { $0.name == name }.map { $0.value ?? "" }
    }

    @Test(arguments: [
        OfferFile.chromiumPublish, .chromiumSimulcast, .firefoxSimulcast, .aiortcPublish, .gstreamerPublish,
    ])
    func `what a program offers to send is taken in codecs of the router, in its own numbers`(_ file: OfferFile) throws
    {
        let offer = try file.offer
        let answer = try answer(offer, receiving(offer))
        #expect(answer.media.count == 2)
        for (section, offered) in zip(answer.media, offer.media) {
            #expect(section.port == 40000)
            let maps = values("rtpmap", section)
            #expect(maps.count == section.formats.count)
            #expect(Set(section.formats).isSubset(of: offered.description.formats))
            #expect(!maps.contains { $0.contains("red/") || $0.contains("ulpfec/") })
            #expect(section.attributes.contains(SDPAttribute("recvonly")))
            #expect(section.attributes.contains(SDPAttribute("rtcp-mux")))
            #expect(values("setup", section) == ["passive"])
            #expect(values("mid", section) == [offered.mid])
            #expect(values("candidate", section).count == 1)
            for feedback in values("rtcp-fb", section) {
                #expect(offered.description.attributes.contains { $0.value == feedback }, "\(feedback)")
            }
            try checkParameters(section, offered)
        }
        #expect(answer.attributes.contains(SDPAttribute("ice-lite")))
        // Chromium and Firefox mix one- and two-byte header extensions; an answer has it where the offer had it.
        let mixed = SDPAttribute("extmap-allow-mixed")
        #expect(answer.attributes.contains(mixed) == offer.allowsMixedExtensions)
        if [.chromiumPublish, .chromiumSimulcast].contains(file) { #expect(answer.attributes.contains(mixed)) }
        for (section, offered) in zip(answer.media, offer.media) {
            #expect(section.attributes.contains(mixed) == offered.description.attributes.contains(mixed))
        }
        #expect(answer.attributes.first == SDPAttribute("group", "BUNDLE \(offer.bundle.joined(separator: " "))"))
    }

    private func checkParameters(_ section: MediaDescription, _ offered: OfferedMedia) throws {
        let parameters = try #require(offered.producerParameters(for: router))
        try ORTC.validate(parameters, kind: try #require(offered.kind))
        #expect(values("extmap", section).count == parameters.headerExtensions.count)
    }

    @Test(arguments: [OfferFile.chromiumSimulcast, .firefoxSimulcast])
    func `simulcast layers are asked for by RID, with the extensions that carry it turned around`(
        _ file: OfferFile
    ) throws {
        let offer = try file.offer
        let video = try answer(offer, receiving(offer)).media[1]
        #expect(values("rid", video) == ["q recv", "h recv", "f recv"])
        #expect(values("simulcast", video) == ["recv q;h;f"])
        let rid = try #require(values("extmap", video).first { $0.hasSuffix(":rtp-stream-id") })
        #expect(rid.contains("/") == (file == .firefoxSimulcast))
        if file == .firefoxSimulcast { #expect(rid.contains("/recvonly ")) }
        let feedback = values("rtcp-fb", video)
        #expect(feedback.contains { $0.hasSuffix("transport-cc") })
        #expect(!feedback.contains { $0.hasSuffix("goog-remb") })
    }

    private func offer(_ lines: [String]) throws -> SDPOffer {
        let text =
            String(decoding: smallOffer(), as: UTF8.self).replacing("BUNDLE a", with: "BUNDLE a d")
            + lines.joined(separator: "\n") + "\n"
        return try SDPOffer(SessionDescription(parsing: Array(text.utf8)))
    }

    @Test func `data channels are answered on the one transport`() throws {
        let offer = try offer([
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5000",
            "a=max-message-size:262144",
        ])
        #expect(offer.channels?.mid == "d" && offer.channels?.largestMessage == 262_144)
        let answer = try answer(offer, [receiving(offer)[0], .channels(largestMessage: 1000)])
        let section = answer.media[1]
        #expect(section.media == "application" && section.port == 40000)
        #expect(section.transport == "UDP/DTLS/SCTP" && section.formats == ["webrtc-datachannel"])
        #expect(values("sctp-port", section) == ["5000"] && values("max-message-size", section) == ["1000"])
        #expect(values("setup", section) == ["passive"] && values("mid", section) == ["d"])
        #expect(values("candidate", section).count == 1 && values("ice-ufrag", section) == ["ufrag"])
        #expect(!section.attributes.contains(SDPAttribute("rtcp-mux")))
        #expect(answer.attributes.first == SDPAttribute("group", "BUNDLE a d"))
    }

    @Test(
        arguments: [
            ("a=max-message-size:0", nil), ("a=max-message-size:100", 100), ("a=x", 65_536),
            ("a=max-message-size:99999999999", 1 << 29), ("a=max-message-size:-1", 65_536),
        ] as [(String, UInt32?)])
    func `a client says how long messages may be`(line: String, limit: UInt32?) throws {
        let offer = try offer([
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5000", line,
        ])
        #expect(try #require(offer.channels).largestMessage == limit)
    }

    @Test(arguments: [
        ["m=application 9 DTLS/SCTP 5000", "a=mid:d", "a=sctpmap:5000 webrtc-datachannel 1024"],
        ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d"],
        ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5001"],
        ["m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5000"],
        ["m=application 9 UDP/DTLS/SCTP bfcp", "a=mid:d", "a=sctp-port:5000"],
    ])
    func `other sections of applications are none`(lines: [String]) throws {
        #expect(try offer(lines).channels == nil)
    }

    @Test func `REMB is left where packets are not numbered`() throws {
        let offer = try OfferFile.aiortcPublish.offer
        let video = try answer(offer, receiving(offer)).media[1]
        #expect(values("rtcp-fb", video).contains { $0.hasSuffix("goog-remb") })
        #expect(values("rtcp-fb", video).contains { $0.hasSuffix(" nack pli") })
    }

    @Test func `a client may send any codec it offered that the router has, and browsers their first`() throws {
        let text = String(
            decoding: offerOfTwo(video: [
                "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
                "a=rtpmap:102 H264/90000",
                "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
                "a=rtpmap:121 rtx/90000", "a=fmtp:121 apt=102",
                "a=rtpmap:127 H264/90000",
                "a=fmtp:127 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                // The same to the router as the one before.
                "a=rtpmap:108 H264/90000",
                "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034",
                "a=rtpmap:110 flute/90000",
            ]), as: UTF8.self
        ).replacing("SAVPF 96", with: "SAVPF 96 97 102 121 127 108 110")
        let offer = try SDPOffer(try SessionDescription(parsing: Array(text.utf8)))
        let video = try answer(offer, receiving(offer)).media[1]
        #expect(video.formats == ["96", "97", "102", "121", "127"])
        #expect(values("fmtp", video).contains("121 apt=102"))
        let parameters = try #require(offer.media[1].producerParameters(for: router))
        let mapping = try ORTC.producerMapping(parameters, router: router, firstMappedSSRC: 1)
        #expect(Set(mapping.codecs.map(\.mappedPayloadType)).count == 5)
    }

    @Test func `sound may be sent in any codec of the room, too`() throws {
        let text = String(decoding: smallOffer(), as: UTF8.self)
            .replacing("SAVPF 111", with: "SAVPF 111 0").replacing(
                "a=rtcp-mux", with: "a=rtcp-mux\na=rtpmap:0 PCMU/8000")
        let offer = try SDPOffer(try SessionDescription(parsing: Array(text.utf8)))
        #expect(try answer(offer, receiving(offer)).media[0].formats == ["111", "0"])
    }

    @Test func `a codec the router lacks is no reason to take the section`() throws {
        let other = try SDPOffer(SessionDescription(parsing: smallOffer(replacing: "opus/48000/2", with: "speex/8000")))
        #expect(other.media[0].producerParameters(for: router) == nil)
        let answer = try answer(other, [.rejected])
        #expect(answer.media[0].port == 0)
        #expect(!answer.attributes.contains { $0.name == "group" })
    }

    @Test func `a rejected section has all that clients look for, and no place in the bundle`() throws {
        let offer = try OfferFile.chromiumWatch.offer
        let answer = try answer(offer, [.rejected, .rejected])
        #expect(!answer.attributes.contains { $0.name == "group" })
        for (section, offered) in zip(answer.media, offer.media) {
            #expect(section.port == 0 && section.formats == offered.description.formats)
            for name in ["mid", "inactive", "rtcp-mux", "ice-ufrag", "ice-pwd", "fingerprint", "setup"] {
                #expect(values(name, section).count == 1, "\(name)")
            }
            #expect(values("rtpmap", section).count == offered.codecs.filter(\.isMedia).count)
            #expect(values("candidate", section).isEmpty)
        }
    }

    @Test func `an only section needs no name, and gets none`() throws {
        let text = String(decoding: smallOffer(), as: UTF8.self)
            .replacing("a=mid:a\n", with: "").replacing("a=group:BUNDLE a\n", with: "")
        let offer = try SDPOffer(try SessionDescription(parsing: Array(text.utf8)))
        let answer = try answer(offer, receiving(offer))
        #expect(answer.media[0].port == 40000)
        #expect(values("mid", answer.media[0]).isEmpty && !answer.attributes.contains { $0.name == "group" })
    }

    @Test func `simulcast as drafts had it is as if it were not there`() throws {
        let offer = try SDPOffer(
            try SessionDescription(parsing: offerOfTwo(video: ["a=rtpmap:96 VP8/90000", "a=simulcast: send rid=1;2"])))
        #expect(offer.media[1].sendRIDs.isEmpty)
        #expect(values("simulcast", try answer(offer, receiving(offer)).media[1]).isEmpty)
    }

    @Test func `simulcast by SSRC alone is taken, in the group's order`() throws {
        let lines = ["a=ssrc-group:SIM 3 1 2", "a=ssrc-group:FID 1 11"] + (1...3).map { "a=ssrc:\($0) cname:c" }
        let offer = try SDPOffer(
            try SessionDescription(parsing: offerOfTwo(video: ["a=rtpmap:96 VP8/90000"] + lines)))
        let parameters = try #require(offer.media[1].producerParameters(for: router))
        #expect(parameters.encodings.map(\.ssrc) == [3, 1, 2])
        #expect(try ORTC.producerMapping(parameters, router: router, firstMappedSSRC: 1).encodings.count == 3)
    }

    @Test func `a viewer is given stream, SSRCs and codec in its own numbers`() throws {
        let offer = try OfferFile.chromiumWatch.offer
        let media = offer.media[1]
        let rtx = try #require(media.codecs.first { $0.repairs(media.codecs[0]) })
        let parameters = RTPParameters(
            mid: media.mid, codecs: [media.codecs[0].parameters, rtx.parameters],
            encodings: [RTPEncodingParameters(ssrc: 11, rtxSSRC: 12)], rtcp: RTCPParameters(cname: "name"))
        let answer = try answer(offer, [.rejected, .sends(parameters, streamID: "alice", trackID: "t")])
        let video = answer.media[1]
        #expect(video.attributes.contains(SDPAttribute("sendonly")))
        #expect(values("ssrc-group", video) == ["FID 11 12"])
        #expect(values("ssrc", video).contains("12 cname:name"))
        #expect(values("msid", video) == ["alice t"])
        #expect(answer.attributes.first == SDPAttribute("group", "BUNDLE 1"))
    }

    @Test func `a client that waits for the handshake is met by one that starts it`() throws {
        let offer = try SDPOffer(SessionDescription(parsing: smallOffer(replacing: "actpass", with: "passive")))
        #expect(offer.dtlsRole == .server)
        #expect(values("setup", try answer(offer, receiving(offer)).media[0]) == ["active"])
    }

    @Test func `fragments hold candidates, or new credentials`() throws {
        let trickle = try ICEFragment(
            parsing: Array("m=audio 9 X 0\r\na=mid:0\r\na=candidate:1 1 udp 2 ::1 3\r\n".utf8))
        #expect(trickle.candidates == 1 && trickle.usernameFragment == nil)
        let restart = try ICEFragment(parsing: Array("a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n".utf8))
        #expect(restart.usernameFragment == "EsAw" && restart.password != nil)
        #expect(throws: SDPError.self) { try ICEFragment(parsing: Array("a=ice-ufrag:!\n".utf8)) }
    }
}
