/// What a shard reports of data producers and consumers.
public enum DataEvent: Sendable {
    /// A message for a consumer whose messages go to its room.
    case messageReceived(DataConsumerKey, DataMessage)
    /// Messages to a consumer are dropped, since too much waits; at most once a second.
    case sendBufferFull(DataConsumerKey)
    /// What waits for a consumer's client has come down to its threshold.
    case bufferedAmountLow(DataConsumerKey, bytes: Int)
    /// The client has closed the channel.
    case producerClosedByClient(DataProducerKey)
    case consumerClosedByClient(DataConsumerKey)
    /// The client has opened a channel in band: a data producer on its stream is wanted, or `MediaHandle.closeDataChannel`.
    case channelOpened(OpenedDataChannel)
}
