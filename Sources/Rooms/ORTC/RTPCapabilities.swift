public import Media

/// A value of a codec's or header extension's parameters: a string or a number.
public enum CodecParameter: Sendable, Hashable {
    case string(String)
    case integer(Int)
    case number(Double)

    /// The value as text; a profile-level-id of digits only comes as a number from SDP parsers.
    var text: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        }
    }

    /// The value as a whole number, also if a client sent its digits as a string.
    var integerValue: Int? {
        switch self {
        case .string(let text): Int(text)
        case .integer(let number): number
        case .number: nil
        }
    }
}

/// An RTCP feedback mechanism: a type such as `nack` with a parameter such as `pli` (RFC 4585 §4.2).
public struct RTCPFeedback: Sendable, Hashable {
    /// `nack`, `ccm`, `goog-remb`, `transport-cc`, ….
    public var type: String
    /// `pli`, `fir` or empty.
    public var parameter: String

    /// A mechanism.
    public init(type: String, parameter: String = "") {
        self.type = type
        self.parameter = parameter
    }
}

/// A codec an endpoint can receive.
public struct RTPCodecCapability: Sendable, Hashable {
    /// Audio or video, as the MIME type says.
    public var kind: MediaKind
    /// `audio/opus`, `video/VP8`, …; compared without regard to case.
    public var mimeType: String
    /// 0…127; the router chooses one if it is `nil`.
    public var preferredPayloadType: UInt8?
    /// In hertz.
    public var clockRate: UInt32
    /// Audio only; 1 if absent.
    public var channels: UInt8?
    /// The format parameters of SDP's `fmtp`.
    public var parameters: [String: CodecParameter]
    /// The feedback the endpoint understands.
    public var rtcpFeedback: [RTCPFeedback]

    /// A capability; audio without `channels` has one.
    public init(
        kind: MediaKind, mimeType: String, preferredPayloadType: UInt8? = nil, clockRate: UInt32,
        channels: UInt8? = nil, parameters: [String: CodecParameter] = [:], rtcpFeedback: [RTCPFeedback] = []
    ) {
        self.kind = kind
        self.mimeType = mimeType
        self.preferredPayloadType = preferredPayloadType
        self.clockRate = clockRate
        self.channels = kind == .audio ? channels ?? 1 : nil
        self.parameters = parameters
        self.rtcpFeedback = rtcpFeedback
    }
}

/// The direction of a header extension.
public enum HeaderExtensionDirection: String, Sendable, Hashable {
    case sendrecv, sendonly, recvonly, inactive
}

/// A header extension an endpoint understands (RFC 8285).
public struct RTPHeaderExtension: Sendable, Hashable {
    /// The kind of media it may be used with.
    public var kind: MediaKind
    /// What it means.
    public var uri: String
    /// The identifier it is sent with.
    public var preferredID: UInt8
    /// Whether it is to be encrypted (RFC 6904).
    public var preferredEncrypt: Bool
    /// Which side sends it.
    public var direction: HeaderExtensionDirection

    /// An extension.
    public init(
        kind: MediaKind, uri: String, preferredID: UInt8, preferredEncrypt: Bool = false,
        direction: HeaderExtensionDirection = .sendrecv
    ) {
        self.kind = kind
        self.uri = uri
        self.preferredID = preferredID
        self.preferredEncrypt = preferredEncrypt
        self.direction = direction
    }
}

/// What an endpoint, or the router, can receive.
public struct RTPCapabilities: Sendable, Hashable {
    /// In order of preference; an RTX codec follows the one it repairs.
    public var codecs: [RTPCodecCapability]
    /// The header extensions it understands.
    public var headerExtensions: [RTPHeaderExtension]

    /// Capabilities.
    public init(codecs: [RTPCodecCapability] = [], headerExtensions: [RTPHeaderExtension] = []) {
        self.codecs = codecs
        self.headerExtensions = headerExtensions
    }
}
