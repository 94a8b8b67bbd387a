/// Half a success that looks like one: a transport is connected, and what its client means to send or get does not flow.
public struct TransportWarning: Sendable, Hashable {
    /// What is wrong. The raw values are what operators read.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// No packet of any of its producers has come.
        case nothingReceived = "nothing-received"
        /// Packets come that belong to none of its producers, and a producer gets none.
        case unmatchedPackets = "unmatched-packets"
        /// Packets come in a payload type that their producer did not announce.
        case unknownPayloadType = "unknown-payload-type"
        /// Packets come that were protected with other keys.
        case undecryptablePackets = "undecryptable-packets"
        /// Packets come to a plain transport from another address than its client's.
        case foreignPackets = "foreign-packets"
        /// Pictures come, and no key frame with which decoding could begin.
        case noKeyFrame = "no-key-frame"
        /// RTP may not be sent to the address that a plain transport has learned.
        case destinationNotAllowed = "destination-not-allowed"
        /// A plain transport's client sends packets of more than 1,200 bytes.
        case largePackets = "large-packets"
        /// A receiver asks for key frames again and again, although it lost nothing: it cannot decode what it gets.
        case unhelpfulKeyFrames = "unhelpful-key-frames"
    }

    /// What is wrong.
    public var kind: Kind
    /// How many packets of no use came before it was noticed.
    public var packets: Int
    /// The newest one's.
    public var ssrc: SSRC?
    /// The newest one's.
    public var payloadType: UInt8?
    /// The address that is meant, where one is.
    public var remoteAddress: String?

    /// A warning.
    public init(
        _ kind: Kind, packets: Int = 0, ssrc: SSRC? = nil, payloadType: UInt8? = nil, remoteAddress: String? = nil
    ) {
        self.kind = kind
        self.packets = packets
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.remoteAddress = remoteAddress
    }
}
