/// How a producer's payload types and SSRCs map to the router's.
public struct ProducerMapping: Sendable, Hashable {
    /// One codec.
    public struct Codec: Sendable, Hashable {
        /// As the client sends it.
        public var payloadType: UInt8
        /// The router's.
        public var mappedPayloadType: UInt8
    }

    /// One encoding, with what identifies it.
    public struct Encoding: Sendable, Hashable {
        /// As the client announced it.
        public var ssrc: UInt32?
        /// As the client announced it.
        public var rid: String?
        /// As the client announced it.
        public var scalabilityMode: String?
        /// The router's.
        public var mappedSSRC: UInt32
    }

    /// Every codec, RTX too.
    public var codecs: [Codec]
    /// Every encoding, in order.
    public var encodings: [Encoding]
    /// The producer's parameters with H.264 profiles as answered, and one empty encoding if there was none.
    public var rtpParameters: RTPParameters

    func mapped(_ payloadType: UInt8) -> UInt8? { codecs.first { $0.payloadType == payloadType }?.mappedPayloadType }
}
