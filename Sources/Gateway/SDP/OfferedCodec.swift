import RoundhouseRooms

/// A codec of an offered media section.
struct OfferedCodec: Sendable, Hashable {
    var parameters: RTPCodecParameters
    /// The `fmtp` value as it came: an answer gives it back letter by letter.
    var format: String?

    private var mime: String { parameters.mimeType.lowercased() }
    var isRTX: Bool { mime.hasSuffix("/rtx") }

    /// Media that a router could forward. Where red or ulpfec are answered, browsers wrap all media in them.
    var isMedia: Bool {
        !["/rtx", "/red", "/ulpfec", "/flexfec", "/flexfec-03", "/cn", "/telephone-event"].contains {
            mime.hasSuffix($0)
        }
    }

    func isNamed(like other: OfferedCodec) -> Bool { mime == other.mime }

    /// Whether this codec resends `other`'s packets (RFC 4588 §8.6).
    func repairs(_ other: OfferedCodec) -> Bool {
        isRTX && parameters.parameters["apt"] == .integer(Int(other.parameters.payloadType))
    }
}
