public import RoundhouseMedia

/// `newConsumer`: the room will send another peer's media; the consumer stays paused until the client accepts.
public struct NewConsumerRequest: Sendable, JSONRepresentable {
    /// Whose media it is.
    public var peerID: PeerID
    /// The transport it arrives on.
    public var transportID: TransportID
    /// What is consumed.
    public var producerID: ProducerID
    /// The consumer.
    public var id: ConsumerID
    /// Audio or video.
    public var kind: MediaKind
    /// What the client receives.
    public var rtpParameters: RTPParameters
    /// The consumer's type.
    public var type: ProducerType
    /// The producer's application data, with its `peerId`.
    public var appData: JSONValue
    /// Whether the producer is paused.
    public var isProducerPaused: Bool

    /// The fields of the 2024 protocol.
    public var json: JSONValue {
        .object([
            "peerId": .string(peerID.rawValue), "producerId": .string(producerID.rawValue),
            "id": .string(id.rawValue), "kind": .string(kind.rawValue), "rtpParameters": rtpParameters.json,
            "type": .string(type.rawValue), "appData": appData, "producerPaused": .bool(isProducerPaused),
        ])
    }
}
