import RoundhouseMedia

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

    /// The router's header extensions.
    public static let supportedHeaderExtensions = HeaderExtension.allCases.flatMap { ext in
        ext.uses.map { kind, use in
            RTPHeaderExtension(
                kind: kind, uri: ext.uri, preferredID: ext.routerID,
                direction: use == .forwarded ? .sendrecv : .recvonly)
        }
    }
}

extension HeaderExtensionIDs {
    /// The identifiers an endpoint negotiated; extensions nobody here knows are left out.
    init(_ extensions: [RTPHeaderExtensionParameters]) {
        self.init()
        for parameters in extensions {
            if let known = HeaderExtension(uri: parameters.uri) { self[known] = parameters.id }
        }
    }
}
