import RoundhouseMedia

/// What a room has to do after its state has changed; carried out in order.
enum RoomAction {
    case notify(PeerSession, ServerNotification)
    /// Ask a client to take a consumer; the answer goes to `consumerAnswered`.
    case offer(PeerSession, ConsumerID, NewConsumerRequest)
    /// The peer has left: close its connection and forget it.
    case closeConnection(PeerSession, PeerCloseReason)
    /// Notify the program that embeds the room.
    case observed(RoomObservation)

    /// Open the consumer on the media plane, then report it to the state; to be tried again if the plane is overloaded.
    case openConsumer(ConsumerID)
    /// Send the state of a consumer's pauses and layers to the media plane; to be tried again likewise.
    case updateConsumer(ConsumerID)

    /// Open a data producer on a channel that its client has opened.
    case openDataProducer(DataProducerOpening)
    /// Close such a channel.
    case closeDataChannel(TransportKey, stream: UInt16)
    case openDataConsumer(DataConsumerID)
    /// Ask a client to take a data consumer; the answer goes to `dataConsumerAnswered`.
    case offerData(PeerSession, DataConsumerID, NewDataConsumerRequest)
    /// Its client has the channel.
    case releaseDataConsumer(DataConsumerKey)
    /// Open the room's own consumer of a data producer.
    case listenToData(DataProducerID)
    case openBot
    case sendData(DataProducerKey, DataMessage)
    case closeDataProducer(DataProducerKey)
    case closeDataConsumer(DataConsumerKey)

    case closeTransport(TransportKey)
    case closeProducer(ProducerKey)
    case closeConsumer(ConsumerKey)
}
