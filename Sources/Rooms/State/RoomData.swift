import RoundhouseMedia

/// A room's data producers and consumers.
struct RoomData {
    var producers: [DataProducerID: DataProducer] = [:]
    var producerIDs: [DataProducerKey: DataProducerID] = [:]
    var consumers: [DataConsumerID: DataConsumer] = [:]
    var consumerIDs: [DataConsumerKey: DataConsumerID] = [:]
    /// The room's own consumers, and of what.
    var listeners: [DataConsumerKey: DataProducerID] = [:]
    /// Those that ended before their clients had answered the offer, as with consumers.
    var endedUnanswered: [DataConsumerID: PeerSession] = [:]
    /// The bot's data producer.
    var botID: DataProducerID?
}
