/// The RTP header extensions (RFC 8285) that the media plane knows. The raw value is the router's identifier, which every
/// consumer that takes the router's numbers uses: mediasoup's numbering since 3.17.
public enum HeaderExtension: UInt8, CaseIterable, Sendable {
    /// The media section a packet belongs to (RFC 8843).
    case mid = 1
    /// The RTP stream identifier (RFC 8852).
    case rid = 2
    /// Which RID a retransmission repairs (RFC 8852).
    case repairedRID = 3
    /// The time of sending, 24 bits of 6.18 fixed point.
    case absSendTime = 4
    /// The number by which transport-wide feedback names packets.
    case transportWideSequence = 5
    /// The sound's level (RFC 6464).
    case audioLevel = 6
    /// AV1's frame dependencies, also used by other codecs.
    case dependencyDescriptor = 7
    /// The rotation of the picture (3GPP TS 26.114).
    case videoOrientation = 8
    /// The time between capture and sending (RFC 5450).
    case transmissionOffset = 9
    /// The time of capture.
    case absCaptureTime = 10
    /// How long a receiver should hold a picture back.
    case playoutDelay = 11

    /// The identifier in the packets of consumers that take the router's numbers.
    public var routerID: UInt8 { rawValue }

    /// The name by which it is negotiated.
    public var uri: String {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case .absSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case .transportWideSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case .dependencyDescriptor:
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
        case .videoOrientation: "urn:3gpp:video-orientation"
        case .transmissionOffset: "urn:ietf:params:rtp-hdrext:toffset"
        case .absCaptureTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
        }
    }

    private static let byURI = Dictionary(uniqueKeysWithValues: allCases.map { ($0.uri, $0) })

    /// The extension of this name; `nil` for one that is not known here.
    public init?(uri: String) {
        guard let known = Self.byURI[uri] else { return nil }
        self = known
    }

    /// What media of a kind use it for.
    public enum Use: Sendable, Hashable {
        /// Senders may send it, and receivers get it.
        case forwarded
        /// Senders may send it, and the server reads it.
        case received
    }

    /// The kinds of media that use it, and how.
    public var uses: [(kind: MediaKind, use: Use)] {
        switch self {
        // mediasoup numbers no audio that it sends; a link that carries nothing else could not be judged so.
        case .mid, .absSendTime, .transportWideSequence, .absCaptureTime, .playoutDelay:
            [(.audio, .forwarded), (.video, .forwarded)]
        case .rid, .repairedRID: [(.video, .received)]
        case .audioLevel: [(.audio, .forwarded)]
        // mediasoup does not send the descriptor; but Chromium decodes no AV1 with spatial layers without it.
        case .dependencyDescriptor, .videoOrientation, .transmissionOffset: [(.video, .forwarded)]
        }
    }
}
