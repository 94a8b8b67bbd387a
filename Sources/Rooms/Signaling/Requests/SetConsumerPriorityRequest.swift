/// `setConsumerPriority`.
public struct SetConsumerPriorityRequest: Sendable, Hashable {
    /// Which consumer.
    public var consumerID: ConsumerID
    /// 1…255.
    public var priority: Int

    /// A request.
    public init(consumerID: ConsumerID, priority: Int) {
        self.consumerID = consumerID
        self.priority = priority
    }
}
