/// `setConsumerPreferredLayers`.
public struct SetConsumerPreferredLayersRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// What it is to get at most.
    public var layers: PreferredLayers

    /// A request.
    public init(consumerID: ConsumerID, layers: PreferredLayers) {
        self.consumerID = consumerID
        self.layers = layers
    }
}
