/// Audio or video.
public enum MediaKind: String, Sendable, Hashable, CaseIterable {
    case audio, video
}

/// A codec the media plane knows something about; `other` is forwarded untouched.
public enum CodecKind: UInt8, Sendable, Hashable {
    case opus, vp8, vp9, h264, h265, av1, other

    /// Whether decoding can start only at a key frame that the plane can recognize.
    public var hasKeyFrames: Bool {
        switch self {
        case .vp8, .vp9, .h264, .h265, .av1: true
        case .opus, .other: false
        }
    }
}

/// The RTCP feedback negotiated for a codec.
public struct FeedbackSupport: OptionSet, Sendable, Hashable {
    /// One bit for each kind.
    public let rawValue: UInt8
    /// Feedback by its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Negative acknowledgements (RFC 4585).
    public static let nack = FeedbackSupport(rawValue: 1)
    /// `nack pli` (RFC 4585).
    public static let pictureLossIndication = FeedbackSupport(rawValue: 2)
    /// `ccm fir` (RFC 5104).
    public static let fullIntraRequest = FeedbackSupport(rawValue: 4)
    /// `transport-cc`.
    public static let transportWide = FeedbackSupport(rawValue: 8)
    /// `goog-remb`.
    public static let receiverEstimatedMaximumBitrate = FeedbackSupport(rawValue: 16)
}

/// One media codec of a producer: the payload type the client sends and the one the router uses for it.
public struct ProducerCodec: Sendable, Hashable {
    /// What the payload is.
    public var codec: CodecKind
    /// RTP timestamp units a second.
    public var clockRate: UInt32
    /// The number in RTP headers.
    public var payloadType: UInt8
    /// The router's number for it.
    public var mappedPayloadType: UInt8
    /// The client's RTX payload type for this codec and the router's; `nil` where RTX was not negotiated.
    public var rtxPayloadType: UInt8?
    /// The router's RTX number for it.
    public var mappedRTXPayloadType: UInt8?
    /// What may be asked of the sender.
    public var feedback: FeedbackSupport
    /// Opus with `useinbandfec=1` (RFC 7587 §6.1): its sender gets the loss of its worst receiver reported.
    public var usesInBandFEC = false

    /// A codec.
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
    /// The SSRC of its retransmissions.
    public var rtxSSRC: SSRC?
    /// The RTP stream identifier (RFC 8852), at most 16 characters.
    public var rid: String?
    /// The SSRC by which consumers inside the server refer to this encoding.
    public var mappedSSRC: SSRC

    /// An encoding.
    public init(ssrc: SSRC? = nil, rtxSSRC: SSRC? = nil, rid: String? = nil, mappedSSRC: SSRC) {
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.rid = rid
        self.mappedSSRC = mappedSSRC
    }
}

/// What a shard needs to receive one producer's streams.
public struct ProducerSettings: Sendable {
    /// Audio or video.
    public var kind: MediaKind
    /// The media section the client sends it in, by which its streams may be learned.
    public var mid: String?
    /// The sender's canonical name (RFC 3550 §6.5.1).
    public var cname: String
    /// The codecs, preferred first.
    public var codecs: [ProducerCodec]
    /// The encodings, in the client's order.
    public var encodings: [ProducerEncoding]
    /// The client's numbers for header extensions.
    public var headerExtensions: HeaderExtensionIDs
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Further key frame requests within this time of one are merged into one at its end; zero disables the hold-off.
    public var keyFrameRequestDelay: MediaDuration
    /// The layers of each encoding.
    public var scalability = ScalabilitySettings()

    /// Settings.
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
    /// What the payload is.
    public var codec: CodecKind
    /// RTP timestamp units a second.
    public var clockRate: UInt32
    /// The number in RTP headers.
    public var payloadType: UInt8
    /// The RTX number for it; `nil` where RTX was not negotiated.
    public var rtxPayloadType: UInt8?
    /// What may be asked of the sender.
    public var feedback: FeedbackSupport

    /// A codec.
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

/// The numbers a client chose itself, where it does not take the router's: an offer's, which an answer has to keep
/// (RFC 3264 §6.1).
public struct ConsumerIDMapping: Sendable, Hashable {
    /// The router's payload type to the client's, RTX too; others stay.
    public var payloadTypes: [UInt8: UInt8]
    /// The client's extension ids, 1…14; extensions with zero are left out of its packets.
    public var headerExtensions: HeaderExtensionIDs

    /// A numbering.
    public init(payloadTypes: [UInt8: UInt8], headerExtensions: HeaderExtensionIDs) {
        self.payloadTypes = payloadTypes
        self.headerExtensions = headerExtensions
    }
}

/// How a producer's encodings carry layers.
public struct ScalabilitySettings: Sendable, Hashable {
    /// Spatial layers of each encoding, 1…8; more than one is SVC.
    public var spatialLayers: Int
    /// Temporal layers of each encoding, 1…8.
    public var temporalLayers: Int
    /// Higher layers depend on lower ones only in key pictures (a mode that ends in `_KEY`).
    public var isKSVC: Bool
    /// Silence in an encoding does not mean that it is gone (`dtx`, as screen sharing has it).
    public var usesDTX: Bool

    /// One layer, unless said otherwise.
    public init(spatialLayers: Int = 1, temporalLayers: Int = 1, isKSVC: Bool = false, usesDTX: Bool = false) {
        self.spatialLayers = spatialLayers
        self.temporalLayers = temporalLayers
        self.isKSVC = isKSVC
        self.usesDTX = usesDTX
    }
}

/// What a consumer needs to know of the producer it is pointed at.
public struct SourceSettings: Sendable, Hashable {
    /// The producer's encodings in order, by their mapped SSRCs; one of them is forwarded at a time.
    public var encodings: [SSRC]
    /// Their layers.
    public var scalability: ScalabilitySettings
    /// The CNAME of the sender report's SDES: the producer's (RFC 3550 §6.5.1).
    public var cname: String
    /// Whether the producer is paused.
    public var isProducerPaused: Bool

    /// A source.
    public init(encodings: [SSRC], scalability: ScalabilitySettings, cname: String, isProducerPaused: Bool) {
        self.encodings = encodings
        self.scalability = scalability
        self.cname = cname
        self.isProducerPaused = isProducerPaused
    }
}

/// What a shard needs to send one consumer's stream.
public struct ConsumerSettings: Sendable {
    /// Audio or video.
    public var kind: MediaKind
    /// The media section on the client's side.
    public var mid: String?
    /// The CNAME of the sender report's SDES: the producer's (RFC 3550 §6.5.1).
    public var cname: String
    /// The codecs the client accepts, preferred first.
    public var codecs: [ConsumerCodec]
    /// The consumer's own SSRC.
    public var ssrc: SSRC
    /// The SSRC of its retransmissions.
    public var rtxSSRC: SSRC?
    /// The producer's encodings in order, by their mapped SSRCs; one of them is forwarded at a time.
    public var encodings: [SSRC]
    /// The router's extension ids that this consumer negotiated; zero for the rest.
    public var headerExtensions: HeaderExtensionIDs
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Whether its producer is paused.
    public var isProducerPaused: Bool
    /// What the numbers above become in the client's packets; `nil` where it takes the router's.
    public var numbering: ConsumerIDMapping?
    /// The layers of the producer's encodings.
    public var scalability = ScalabilitySettings()
    /// The layers to send at most; `nil` for all.
    public var preferredLayers: ConsumerLayers?
    /// Opus packets of silence (DTX) are left out.
    public var ignoresDTX = false

    /// Settings.
    public init(
        kind: MediaKind, mid: String?, cname: String, codecs: [ConsumerCodec], ssrc: SSRC, rtxSSRC: SSRC?,
        encodings: [SSRC], headerExtensions: HeaderExtensionIDs, isPaused: Bool, isProducerPaused: Bool,
        numbering: ConsumerIDMapping? = nil
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
        self.numbering = numbering
    }
}
