/// One stream of a producer or consumer: a simulcast layer or the only one.
public struct RTPEncodingParameters: Sendable, Hashable {
    /// The stream's SSRC, if the sender announced it.
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
