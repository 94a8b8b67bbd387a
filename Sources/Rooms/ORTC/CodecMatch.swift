import Media

/// What capabilities and parameters of a codec have in common.
protocol CodecDescription {
    var mimeType: String { get }
    var clockRate: UInt32 { get }
    var channels: UInt8? { get }
    var parameters: [String: CodecParameter] { get }
}

extension RTPCodecCapability: CodecDescription {}
extension RTPCodecParameters: CodecDescription {}

extension CodecDescription {
    var mime: String { mimeType.lowercased() }
    var isRTX: Bool { mime.hasSuffix("/rtx") }
    /// The payload type an RTX codec repairs (RFC 4588 §8.6).
    var apt: Int? { parameters["apt"]?.integerValue }

    /// Codecs that carry no media of their own.
    var isRepair: Bool {
        ["/rtx", "/ulpfec", "/flexfec", "/flexfec-03", "/red"].contains { mime.hasSuffix($0) }
    }

    var codecKind: CodecKind {
        switch mime {
        case "audio/opus": .opus
        case "video/vp8": .vp8
        case "video/vp9": .vp9
        case "video/h264": .h264
        case "video/h265": .h265
        case "video/av1": .av1
        default: .other
        }
    }
}

/// Whether two codecs are the same, and under which profile.
struct CodecMatch {
    /// H.264 only: what the answer to `a` says.
    let profileLevelID: H264ProfileLevelID.Answer?

    /// - Parameter isStrict: also compares what makes streams of one codec undecodable to each other: H.264's
    ///   packetization mode and profile, VP9's profile.
    /// - Returns: `nil` if they do not match.
    init?(_ a: some CodecDescription, _ b: some CodecDescription, isStrict: Bool) {
        guard a.mime == b.mime, a.clockRate == b.clockRate, a.channels == b.channels else { return nil }
        var answer: H264ProfileLevelID.Answer?
        switch a.mime {
        case "audio/multiopus":
            for name in ["num_streams", "coupled_streams"] where a.parameters[name]?.text != b.parameters[name]?.text {
                return nil
            }
        case "video/h264" where isStrict:
            let name = "packetization-mode"
            guard (a.parameters[name]?.integerValue ?? 0) == (b.parameters[name]?.integerValue ?? 0),
                let found = H264ProfileLevelID.answer(local: a.parameters, remote: b.parameters)
            else { return nil }
            answer = found
        case "video/vp9" where isStrict:
            guard (a.parameters["profile-id"]?.integerValue ?? 0) == (b.parameters["profile-id"]?.integerValue ?? 0)
            else { return nil }
        default: break
        }
        profileLevelID = answer
    }
}
