/// Audio or video.
public enum MediaKind: String, Sendable, Hashable, CaseIterable {
    case audio, video
}

/// A codec the media plane knows something about; `other` is forwarded untouched.
public enum CodecKind: UInt8, Sendable, Hashable {
    case opus, vp8, vp9, h264, h265, av1, other

    /// Whether decoding can start only at a key frame that the plane can recognise.
    public var hasKeyFrames: Bool {
        switch self {
        case .vp8, .vp9, .h264, .h265, .av1: true
        case .opus, .other: false
        }
    }
}

/// The router's header extension identifiers; every consumer uses the same numbers.
///
/// The list and its numbering are `spec` mediasoup ≥ 3.17: see Docs/Signaling.md.
public enum RouterExtensionID {
    public static let mid: UInt8 = 1
    public static let rid: UInt8 = 2
    public static let repairedRID: UInt8 = 3
    public static let absSendTime: UInt8 = 4
    public static let transportWideSequence: UInt8 = 5
    public static let audioLevel: UInt8 = 6
    public static let dependencyDescriptor: UInt8 = 7
    public static let videoOrientation: UInt8 = 8
    public static let transmissionOffset: UInt8 = 9
    public static let absCaptureTime: UInt8 = 10
    public static let playoutDelay: UInt8 = 11
}

/// Header extension identifiers as one endpoint negotiated them; zero means "not negotiated".
public struct HeaderExtensionIDs: Sendable, Hashable {
    public var mid: UInt8 = 0
    public var rid: UInt8 = 0
    public var repairedRID: UInt8 = 0
    public var absSendTime: UInt8 = 0
    public var transportWideSequence: UInt8 = 0
    public var audioLevel: UInt8 = 0
    public var dependencyDescriptor: UInt8 = 0
    public var videoOrientation: UInt8 = 0
    public var transmissionOffset: UInt8 = 0
    public var absCaptureTime: UInt8 = 0
    public var playoutDelay: UInt8 = 0

    public init() {}
}

/// The RTCP feedback negotiated for a codec.
public struct FeedbackSupport: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let nack = FeedbackSupport(rawValue: 1)
    public static let pictureLossIndication = FeedbackSupport(rawValue: 2)
    public static let fullIntraRequest = FeedbackSupport(rawValue: 4)
    public static let transportWide = FeedbackSupport(rawValue: 8)
    public static let receiverEstimatedMaximumBitrate = FeedbackSupport(rawValue: 16)
}

/// One media codec of a producer: the payload type the client sends and the one the router uses for it.
public struct ProducerCodec: Sendable, Hashable {
    public var codec: CodecKind
    public var clockRate: UInt32
    public var payloadType: UInt8
    public var mappedPayloadType: UInt8
    /// The client's RTX payload type for this codec and the router's; `nil` where RTX was not negotiated.
    public var rtxPayloadType: UInt8?
    public var mappedRTXPayloadType: UInt8?
    public var feedback: FeedbackSupport

    public init(
        codec: CodecKind, clockRate: UInt32, payloadType: UInt8, mappedPayloadType: UInt8,
        rtxPayloadType: UInt8? = nil, mappedRTXPayloadType: UInt8? = nil, feedback: FeedbackSupport = []
    ) {
        self.codec = codec
        self.clockRate = clockRate
        self.payloadType = payloadType
        self.mappedPayloadType = mappedPayloadType
        self.rtxPayloadType = rtxPayloadType
        self.mappedRTXPayloadType = mappedRTXPayloadType
        self.feedback = feedback
    }
}

/// One encoding (simulcast layer or the only stream) of a producer.
public struct ProducerEncoding: Sendable, Hashable {
    /// The SSRC the client announced, if it did; else the stream is learned by RID or MID.
    public var ssrc: SSRC?
    public var rtxSSRC: SSRC?
    /// The RTP stream identifier (RFC 8852), at most 16 characters.
    public var rid: String?
    /// The SSRC by which consumers inside the server refer to this encoding.
    public var mappedSSRC: SSRC

    public init(ssrc: SSRC? = nil, rtxSSRC: SSRC? = nil, rid: String? = nil, mappedSSRC: SSRC) {
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.rid = rid
        self.mappedSSRC = mappedSSRC
    }
}

/// What a shard needs to receive one producer's streams.
public struct ProducerSettings: Sendable {
    public var kind: MediaKind
    public var mid: String?
    public var cname: String
    public var codecs: [ProducerCodec]
    public var encodings: [ProducerEncoding]
    public var headerExtensions: HeaderExtensionIDs
    public var isPaused: Bool
    /// Further key frame requests within this time of one are merged into one at its end; zero disables the hold-off.
    public var keyFrameRequestDelay: MediaDuration

    public init(
        kind: MediaKind, mid: String?, cname: String, codecs: [ProducerCodec], encodings: [ProducerEncoding],
        headerExtensions: HeaderExtensionIDs, isPaused: Bool = false, keyFrameRequestDelay: MediaDuration = .zero
    ) {
        self.kind = kind
        self.mid = mid
        self.cname = cname
        self.codecs = codecs
        self.encodings = encodings
        self.headerExtensions = headerExtensions
        self.isPaused = isPaused
        self.keyFrameRequestDelay = keyFrameRequestDelay
    }
}

/// One codec a consumer accepts, in the router's payload types.
public struct ConsumerCodec: Sendable, Hashable {
    public var codec: CodecKind
    public var clockRate: UInt32
    public var payloadType: UInt8
    public var rtxPayloadType: UInt8?
    public var feedback: FeedbackSupport

    public init(
        codec: CodecKind, clockRate: UInt32, payloadType: UInt8, rtxPayloadType: UInt8? = nil,
        feedback: FeedbackSupport = []
    ) {
        self.codec = codec
        self.clockRate = clockRate
        self.payloadType = payloadType
        self.rtxPayloadType = rtxPayloadType
        self.feedback = feedback
    }
}

/// What a shard needs to send one consumer's stream.
public struct ConsumerSettings: Sendable {
    public var kind: MediaKind
    public var mid: String?
    /// The CNAME of the sender report's SDES: the producer's (RFC 3550 §6.5.1).
    public var cname: String
    public var codecs: [ConsumerCodec]
    public var ssrc: SSRC
    public var rtxSSRC: SSRC?
    /// The producer's encodings in order, by their mapped SSRCs; one of them is forwarded at a time.
    public var encodings: [SSRC]
    /// The router's extension ids that this consumer negotiated; zero for the rest.
    public var headerExtensions: HeaderExtensionIDs
    public var isPaused: Bool
    public var isProducerPaused: Bool

    public init(
        kind: MediaKind, mid: String?, cname: String, codecs: [ConsumerCodec], ssrc: SSRC, rtxSSRC: SSRC?,
        encodings: [SSRC], headerExtensions: HeaderExtensionIDs, isPaused: Bool, isProducerPaused: Bool
    ) {
        self.kind = kind
        self.mid = mid
        self.cname = cname
        self.codecs = codecs
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.encodings = encodings
        self.headerExtensions = headerExtensions
        self.isPaused = isPaused
        self.isProducerPaused = isProducerPaused
    }
}
