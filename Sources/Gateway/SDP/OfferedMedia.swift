import Media
import Rooms

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

/// An `extmap` line (RFC 8285 §5).
struct OfferedExtension: Sendable, Hashable {
    var id: UInt8
    var uri: String
    /// As the offerer sees it; `nil` if it says nothing, which means both.
    var direction: HeaderExtensionDirection?
}

/// One media section of an offer, read as far as WebRTC needs it.
struct OfferedMedia: Sendable {
    /// The section as it came.
    var description: MediaDescription
    /// `nil` for data channels and what else is neither audio nor video.
    var kind: MediaKind?
    var mid: String
    var direction: HeaderExtensionDirection
    /// In order of preference.
    var codecs: [OfferedCodec] = []
    var extensions: [OfferedExtension] = []
    /// What the offer wants to send with simulcast, in its order (RFC 8853); else empty.
    var sendRIDs: [String] = []
    /// The streams announced by SSRC, each with its retransmissions' (RFC 5576).
    var streams: [RTPEncodingParameters] = []
    var cname: String?
    var usesRTCPMultiplexing: Bool
    var usesReducedSizeRTCP: Bool
    /// The section's own `a=extmap-allow-mixed` (RFC 8285 §6).
    var allowsMixedExtensions: Bool

    var mayBeSentToUs: Bool { direction == .sendonly || direction == .sendrecv }
    var mayBeSentByUs: Bool { direction == .recvonly || direction == .sendrecv }
}

extension OfferedMedia {
    /// - Parameter session: where direction and others may stand once for all sections.
    init(_ section: MediaDescription, in session: SessionDescription) throws(SDPError) {
        let attributes = SDPAttributes(section.attributes)
        let profile = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"]
        let kind = profile.contains(section.transport) ? MediaKind(rawValue: section.media) : nil
        guard let midAttribute = attributes.first("mid") else { throw section.failure("has no a=mid") }
        let mid = midAttribute.value ?? ""
        // What a one-byte header extension can carry (RFC 8285 §4.2).
        guard (1...16).contains(mid.utf8.count), !mid.contains(" ") else {
            throw midAttribute.failure("not 1 to 16 bytes")
        }
        self.init(
            description: section, kind: kind, mid: mid,
            direction: attributes.direction ?? SDPAttributes(session.attributes).direction ?? .sendrecv,
            usesRTCPMultiplexing: attributes.first("rtcp-mux") != nil,
            usesReducedSizeRTCP: attributes.first("rtcp-rsize") != nil,
            allowsMixedExtensions: attributes.first("extmap-allow-mixed") != nil)
        guard let kind else { return }
        codecs = try attributes.codecs(kind, formats: section.formats, of: section)
        extensions = try attributes.extensions()
        sendRIDs = try attributes.simulcastRIDs()
        (streams, cname) = try attributes.streams()
    }

    /// The first stream only, if what looks like several is not simulcast.
    var encodings: [RTPEncodingParameters] {
        if !sendRIDs.isEmpty { return sendRIDs.map { RTPEncodingParameters(rid: $0) } }
        return streams.isEmpty ? [RTPEncodingParameters()] : streams
    }
}
