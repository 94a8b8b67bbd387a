/// `switchProducer`.
public struct SwitchProducerRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// What it is to send from here on.
    public var producerID: ProducerID

    /// A request.
    public init(consumerID: ConsumerID, producerID: ProducerID) {
        self.consumerID = consumerID
        self.producerID = producerID
    }
}
