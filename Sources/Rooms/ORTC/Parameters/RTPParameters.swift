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
