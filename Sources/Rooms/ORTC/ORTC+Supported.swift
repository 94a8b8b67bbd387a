import Media

extension ORTC {
    private static let videoFeedback = [
        RTCPFeedback(type: "nack"), RTCPFeedback(type: "nack", parameter: "pli"),
        RTCPFeedback(type: "ccm", parameter: "fir"), RTCPFeedback(type: "goog-remb"),
        RTCPFeedback(type: "transport-cc"),
    ]
    private static let opusFeedback = [RTCPFeedback(type: "nack"), RTCPFeedback(type: "transport-cc")]
    private static let plainAudioFeedback = [RTCPFeedback(type: "transport-cc")]

    private static func multiopus(
        _ channels: UInt8, mapping: String, streams: Int, coupled: Int
    ) -> RTPCodecCapability {
        RTPCodecCapability(
            kind: .audio, mimeType: "audio/multiopus", clockRate: 48000, channels: channels,
            parameters: [
                "channel_mapping": .string(mapping), "num_streams": .integer(streams),
                "coupled_streams": .integer(coupled),
            ], rtcpFeedback: opusFeedback)
    }

    private static func audio(_ name: String, payloadType: UInt8) -> RTPCodecCapability {
        RTPCodecCapability(
            kind: .audio, mimeType: "audio/\(name)", preferredPayloadType: payloadType, clockRate: 8000,
            rtcpFeedback: plainAudioFeedback)
    }

    private static func video(_ name: String, _ parameters: [String: CodecParameter] = [:]) -> RTPCodecCapability {
        RTPCodecCapability(
            kind: .video, mimeType: "video/\(name)", clockRate: 90000, parameters: parameters,
            rtcpFeedback: videoFeedback)
    }

    /// Every codec a router can be given, with the feedback it gets.
    public static let supportedCodecs: [RTPCodecCapability] = [
        RTPCodecCapability(
            kind: .audio, mimeType: "audio/opus", clockRate: 48000, channels: 2, rtcpFeedback: opusFeedback),
        multiopus(4, mapping: "0,1,2,3", streams: 2, coupled: 2),
        multiopus(6, mapping: "0,4,1,2,3,5", streams: 4, coupled: 2),
        multiopus(8, mapping: "0,6,1,2,3,4,5,7", streams: 5, coupled: 3),
        audio("PCMU", payloadType: 0), audio("PCMA", payloadType: 8), audio("G722", payloadType: 9),
        video("VP8"), video("VP9"),
        video("H264", ["level-asymmetry-allowed": .integer(1)]),
        video("H265", ["level-asymmetry-allowed": .integer(1)]),
        video("AV1"),
    ]

    /// The router's header extensions; their numbers are `RouterExtensionID`'s.
    public static let supportedHeaderExtensions: [RTPHeaderExtension] = {
        typealias Row = (uri: String, id: UInt8, kinds: [(MediaKind, HeaderExtensionDirection)])
        let rows: [Row] = [
            (HeaderExtensionURI.mid, RouterExtensionID.mid, [(.audio, .sendrecv), (.video, .sendrecv)]),
            (HeaderExtensionURI.rid, RouterExtensionID.rid, [(.video, .recvonly)]),
            (HeaderExtensionURI.repairedRID, RouterExtensionID.repairedRID, [(.video, .recvonly)]),
            (
                HeaderExtensionURI.absSendTime, RouterExtensionID.absSendTime,
                [(.audio, .sendrecv), (.video, .sendrecv)]
            ),
            // Audio arrives with it, so that its sender's estimate counts audio, and is not sent with it.
            (
                HeaderExtensionURI.transportWideSequence, RouterExtensionID.transportWideSequence,
                [(.audio, .recvonly), (.video, .sendrecv)]
            ),
            (HeaderExtensionURI.audioLevel, RouterExtensionID.audioLevel, [(.audio, .sendrecv)]),
            // mediasoup does not send it; but Chromium decodes no AV1 with spatial layers without it.
            (HeaderExtensionURI.dependencyDescriptor, RouterExtensionID.dependencyDescriptor, [(.video, .sendrecv)]),
            (HeaderExtensionURI.videoOrientation, RouterExtensionID.videoOrientation, [(.video, .sendrecv)]),
            (HeaderExtensionURI.transmissionOffset, RouterExtensionID.transmissionOffset, [(.video, .sendrecv)]),
            (
                HeaderExtensionURI.absCaptureTime, RouterExtensionID.absCaptureTime,
                [(.audio, .sendrecv), (.video, .sendrecv)]
            ),
            (
                HeaderExtensionURI.playoutDelay, RouterExtensionID.playoutDelay,
                [(.audio, .sendrecv), (.video, .sendrecv)]
            ),
        ]
        return rows.flatMap { row in
            row.kinds.map { kind, direction in
                RTPHeaderExtension(kind: kind, uri: row.uri, preferredID: row.id, direction: direction)
            }
        }
    }()
}

/// The names of the header extensions the media plane knows.
enum HeaderExtensionURI {
    static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    static let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    static let repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    static let absSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    static let transportWideSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    static let audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    static let dependencyDescriptor =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    static let videoOrientation = "urn:3gpp:video-orientation"
    static let transmissionOffset = "urn:ietf:params:rtp-hdrext:toffset"
    static let absCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    static let playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
}

extension HeaderExtensionIDs {
    /// The identifiers an endpoint negotiated; extensions nobody here knows are left out.
    init(_ extensions: [RTPHeaderExtensionParameters]) {
        self.init()
        for ext in extensions {
            switch ext.uri {
            case HeaderExtensionURI.mid: mid = ext.id
            case HeaderExtensionURI.rid: rid = ext.id
            case HeaderExtensionURI.repairedRID: repairedRID = ext.id
            case HeaderExtensionURI.absSendTime: absSendTime = ext.id
            case HeaderExtensionURI.transportWideSequence: transportWideSequence = ext.id
            case HeaderExtensionURI.audioLevel: audioLevel = ext.id
            case HeaderExtensionURI.dependencyDescriptor: dependencyDescriptor = ext.id
            case HeaderExtensionURI.videoOrientation: videoOrientation = ext.id
            case HeaderExtensionURI.transmissionOffset: transmissionOffset = ext.id
            case HeaderExtensionURI.absCaptureTime: absCaptureTime = ext.id
            case HeaderExtensionURI.playoutDelay: playoutDelay = ext.id
            default: break
            }
        }
    }
}
