import RoundhouseMedia
import RoundhouseRooms

/// One media section of an offer, read as far as WebRTC needs it.
struct OfferedMedia: Sendable {
    /// The section as it came.
    var description: MediaDescription
    /// `nil` for data channels and what else is neither audio nor video.
    var kind: MediaKind?
    var mid: String
    /// Whether the offer says so itself: an only section needs no name.
    var hasMID = true
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
        let midAttribute = attributes.first("mid")
        guard midAttribute != nil || session.media.count == 1 else { throw section.failure("has no a=mid") }
        let mid = midAttribute.map { $0.value ?? "" } ?? "0"
        // What a one-byte header extension can carry (RFC 8285 §4.2).
        if let midAttribute, !(1...16).contains(mid.utf8.count) || mid.contains(" ") {
            throw midAttribute.failure("not 1 to 16 bytes")
        }
        self.init(
            description: section, kind: kind, mid: mid, hasMID: midAttribute != nil,
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
