import Foundation
import Testing

@testable import RoundhouseGateway

/// The offers that real programs made; `Offers/README.md` says which.
enum OfferFile: String, CaseIterable, CustomTestStringConvertible {
    case chromiumPublish = "chromium-publish"
    case chromiumSimulcast = "chromium-publish-simulcast"
    case chromiumWatch = "chromium-watch"
    case firefoxSimulcast = "firefox-publish-simulcast"
    case firefoxWatch = "firefox-watch"
    case aiortcPublish = "aiortc-publish"
    case aiortcWatch = "aiortc-watch"
    case gstreamerPublish = "gstreamer-publish"
    case ffmpegPublish = "ffmpeg-publish"

    var testDescription: String { rawValue }

    var bytes: [UInt8] {
        get throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Offers")
            return Array(try Data(contentsOf: folder.appending(path: "\(rawValue).sdp")))
        }
    }

    var session: SessionDescription { get throws { try SessionDescription(parsing: try bytes) } }
    var offer: SDPOffer { get throws { try SDPOffer(try session) } }
}

/// The text of a small good offer, with lines replaced.
func smallOffer(replacing old: String = "", with new: String = "", direction: String = "sendonly") -> [UInt8] {
    let text = """
        v=0
        o=- 1 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE a
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=ice-ufrag:abcd
        a=ice-pwd:abcdefghijklmnopqrstuv
        a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))
        a=setup:actpass
        a=mid:a
        a=\(direction)
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2

        """
    return Array((old.isEmpty ? text : text.replacing(old, with: new)).utf8)
}

/// A good offer of sound and pictures by a program that announces no SSRCs and no header extensions.
/// - Parameter video: the video section's lines from `a=rtpmap` on, with payload type 96.
func offerOfTwo(video: [String] = ["a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack pli"]) -> [UInt8] {
    let text = """
        v=0
        o=- 1 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=setup:actpass
        a=ice-ufrag:nxcM
        a=ice-pwd:ezjAjgSSLLvbRhUA1zc6Se
        a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=sendonly
        a=rtcp-mux
        \(video.map { $0 + "\n" }.joined())
        """
    return Array(text.utf8)
}
