import RoundhouseMedia
import RoundhouseRooms

extension OfferedMedia {
    /// Whether the client means to send sound or pictures in this section.
    var isMediaSentToUs: Bool { MediaKind(rawValue: description.media) != nil && !isOff && mayBeSentToUs }

    /// Why what the client means to send here cannot be taken, in words for who set the client up; `nil` if it can.
    func refusal(in bundle: [String], by router: RTPCapabilities) -> String? {
        guard let kind else {
            return "offered \(description.transport); the room takes UDP/TLS/RTP/SAVPF"
        }
        guard bundle.contains(mid) else { return "is not in the BUNDLE group; there is one transport for all sections" }
        guard usesRTCPMultiplexing else { return "has no a=rtcp-mux; RTCP has no port of its own here" }
        guard producerParameters(for: router) == nil else { return nil }
        let offered = codecs.filter(\.isMedia).map { CodecWords(codec: $0.parameters) }
        let taken = router.codecs.filter { $0.kind == kind && !$0.mimeType.hasSuffix("/rtx") }
        return "offered \(CodecWords.list(offered)); the room takes \(CodecWords.list(taken.map(CodecWords.init)))"
    }
}

/// A codec as people compare it: its name, and what makes two streams of that name undecodable to each other.
private struct CodecWords {
    let name: String
    let details: String

    init(codec: RTPCodecParameters) {
        self.init(codec.mimeType, codec.clockRate, codec.channels, codec.parameters)
    }

    init(_ codec: RTPCodecCapability) { self.init(codec.mimeType, codec.clockRate, codec.channels, codec.parameters) }

    private init(
        _ mimeType: String, _ clockRate: UInt32, _ channels: UInt8?, _ parameters: [String: CodecParameter]
    ) {
        let subtype = mimeType.split(separator: "/").last.map(String.init) ?? mimeType
        name = channels.map { "\(subtype)/\(clockRate)\($0 > 1 ? "/\($0)" : "")" } ?? subtype
        details = ["profile-level-id", "packetization-mode", "profile-id"].compactMap { key in
            parameters[key].map { "\(key)=\(Self.text($0))" }
        }.joined(separator: ";")
    }

    /// `VP8, H264 (profile-level-id=42e01f;packetization-mode=1, …)`.
    static func list(_ codecs: [CodecWords]) -> String {
        var names: [String] = []
        for codec in codecs where !names.contains(codec.name) { names.append(codec.name) }
        let entries = names.map { name in
            let details = codecs.filter { $0.name == name && !$0.details.isEmpty }.map(\.details)
            return details.isEmpty ? name : "\(name) (\(details.joined(separator: ", ")))"
        }
        return entries.isEmpty ? "no codec" : entries.joined(separator: ", ")
    }

    private static func text(_ parameter: CodecParameter) -> String {
        switch parameter {
        case .string(let text): String(text.prefix(32))
        case .integer(let number): String(number)
        case .number(let number): String(number)
        }
    }
}
