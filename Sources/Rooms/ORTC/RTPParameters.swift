/// A codec that is sent.
public struct RTPCodecParameters: Sendable, Hashable {
    /// `audio/opus`, `video/VP8`, …; compared without regard to case.
    public var mimeType: String
    /// 0…127.
    public var payloadType: UInt8
    /// In hertz.
    public var clockRate: UInt32
    /// Audio only; 1 if absent.
    public var channels: UInt8?
    /// The format parameters of SDP's `fmtp`.
    public var parameters: [String: CodecParameter]
    /// The feedback the receiver may send.
    public var rtcpFeedback: [RTCPFeedback]

    /// A codec; audio without `channels` has one.
    public init(
        mimeType: String, payloadType: UInt8, clockRate: UInt32, channels: UInt8? = nil,
        parameters: [String: CodecParameter] = [:], rtcpFeedback: [RTCPFeedback] = []
    ) {
        self.mimeType = mimeType
        self.payloadType = payloadType
        self.clockRate = clockRate
        self.channels = mimeType.lowercased().hasPrefix("audio/") ? channels ?? 1 : nil
        self.parameters = parameters
        self.rtcpFeedback = rtcpFeedback
    }
}

/// A header extension that is sent (RFC 8285).
public struct RTPHeaderExtensionParameters: Sendable, Hashable {
    /// What it means.
    public var uri: String
    /// 1…255.
    public var id: UInt8
    /// Whether it is encrypted (RFC 6904).
    public var encrypt: Bool
    /// Its own parameters.
    public var parameters: [String: CodecParameter]

    /// An extension.
    public init(uri: String, id: UInt8, encrypt: Bool = false, parameters: [String: CodecParameter] = [:]) {
        self.uri = uri
        self.id = id
        self.encrypt = encrypt
        self.parameters = parameters
    }
}

/// One stream of a producer or consumer: a simulcast layer or the only one.
public struct RTPEncodingParameters: Sendable, Hashable {
    /// The stream's SSRC, where the sender announced it.
    public var ssrc: UInt32?
    /// The RTP stream identifier (RFC 8852).
    public var rid: String?
    /// The codec of this encoding, if encodings differ.
    public var codecPayloadType: UInt8?
    /// The SSRC of the retransmission stream (RFC 4588).
    public var rtxSSRC: UInt32?
    /// Whether the sender may stop sending in silence.
    public var dtx: Bool?
    /// `L1T3`, `L3T3_KEY`, `S2T1`, ….
    public var scalabilityMode: String?
    /// In bits per second.
    public var maxBitrate: UInt32?

    /// An encoding.
    public init(
        ssrc: UInt32? = nil, rid: String? = nil, codecPayloadType: UInt8? = nil, rtxSSRC: UInt32? = nil,
        dtx: Bool? = nil, scalabilityMode: String? = nil, maxBitrate: UInt32? = nil
    ) {
        self.ssrc = ssrc
        self.rid = rid
        self.codecPayloadType = codecPayloadType
        self.rtxSSRC = rtxSSRC
        self.dtx = dtx
        self.scalabilityMode = scalabilityMode
        self.maxBitrate = maxBitrate
    }
}

/// How a producer's or consumer's RTCP is sent.
public struct RTCPParameters: Sendable, Hashable {
    /// The canonical name of the sender (RFC 3550 §6.5.1).
    public var cname: String?
    /// Whether reduced-size packets are allowed (RFC 5506).
    public var reducedSize: Bool

    /// RTCP parameters.
    public init(cname: String? = nil, reducedSize: Bool = true) {
        self.cname = cname
        self.reducedSize = reducedSize
    }
}

/// What a producer sends or a consumer gets.
public struct RTPParameters: Sendable, Hashable {
    /// The media section's identifier (RFC 8843).
    public var mid: String?
    /// The media codecs, each with its RTX codec.
    public var codecs: [RTPCodecParameters]
    /// The header extensions used.
    public var headerExtensions: [RTPHeaderExtensionParameters]
    /// The streams, lowest quality first.
    public var encodings: [RTPEncodingParameters]
    /// RTCP parameters.
    public var rtcp: RTCPParameters

    /// RTP parameters.
    public init(
        mid: String? = nil, codecs: [RTPCodecParameters], headerExtensions: [RTPHeaderExtensionParameters] = [],
        encodings: [RTPEncodingParameters] = [], rtcp: RTCPParameters = RTCPParameters()
    ) {
        self.mid = mid
        self.codecs = codecs
        self.headerExtensions = headerExtensions
        self.encodings = encodings
        self.rtcp = rtcp
    }
}
