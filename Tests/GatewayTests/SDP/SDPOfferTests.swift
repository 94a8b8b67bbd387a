import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite("What offers of real programs mean")
struct SDPOfferTests {
    private let ridURI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"

    @Test func `Chromium's simulcast offer has three layers by RID, VP8 first, and its extensions`() throws {
        let offer = try OfferFile.chromiumSimulcast.offer
        #expect(offer.setup == .actpass)
        #expect(offer.dtlsRole == .client)
        #expect(offer.fingerprints.map(\.algorithm) == [.sha256])
        #expect(offer.bundle == ["0", "1"])
        #expect(offer.media.map(\.kind) == [.audio, .video])
        let video = offer.media[1]
        #expect(video.direction == .sendonly)
        #expect(video.sendRIDs == ["q", "h", "f"])
        #expect(video.encodings.map(\.rid) == ["q", "h", "f"])
        #expect(video.codecs.first?.parameters.mimeType == "video/VP8")
        #expect(video.codecs[1].repairs(video.codecs[0]))
        #expect(
            video.extensions.contains(OfferedExtension(id: 10, uri: ridURI)))
        let vp9 = try #require(video.codecs.first { $0.parameters.mimeType == "video/VP9" })
        #expect(vp9.parameters.parameters == ["profile-id": .integer(0)])
        #expect(vp9.parameters.rtcpFeedback.contains(RTCPFeedback(type: "ccm", parameter: "fir")))
        let red = video.codecs.filter { ["video/red", "video/ulpfec"].contains($0.parameters.mimeType) }
        #expect(red.count == 2)
        #expect(red.allSatisfy { !$0.isMedia })
        #expect(offer.media[0].codecs.first?.format == "minptime=10;useinbandfec=1")
    }

    @Test func `Firefox's simulcast offer has three layers by RID too`() throws {
        let video = try OfferFile.firefoxSimulcast.offer.media[1]
        #expect(video.encodings.map(\.rid) == ["q", "h", "f"])
        #expect(video.mid == "1")
        #expect(video.codecs.first?.isMedia == true)
    }

    @Test(arguments: [OfferFile.chromiumPublish, .aiortcPublish])
    func `a single stream is announced with its retransmissions`(_ file: OfferFile) throws {
        let video = try file.offer.media[1]
        #expect(video.sendRIDs.isEmpty)
        #expect(video.encodings.count == 1)
        #expect(video.encodings[0].ssrc != nil)
        #expect(video.encodings[0].rtxSSRC != nil)
        #expect(video.cname?.isEmpty == false)
    }

    @Test func `GStreamer's bundle-only section, long credentials and names are read`() throws {
        let offer = try OfferFile.gstreamerPublish.offer
        #expect(offer.bundle == ["video0", "audio1"])
        #expect(offer.media.map(\.description.port) == [9, 0])
        #expect(offer.iceUsernameFragment.utf8.count == 32)
        #expect(offer.media[1].codecs.first?.parameters.mimeType == "audio/OPUS")
        #expect(offer.media[1].codecs.first?.parameters.channels == 2)
    }

    @Test(arguments: [OfferFile.chromiumWatch, .firefoxWatch])
    func `a viewer's sections wait to be sent to`(_ file: OfferFile) throws {
        let offer = try file.offer
        #expect(offer.media.allSatisfy { $0.mayBeSentByUs && !$0.mayBeSentToUs })
        #expect(offer.media.map(\.usesRTCPMultiplexing) == [true, true])
    }

    @Test func `aiortc's fingerprints are all read`() throws {
        #expect(try OfferFile.aiortcPublish.offer.fingerprints.map(\.algorithm) == [.sha256, .sha384, .sha512])
    }
}
