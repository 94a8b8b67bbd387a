/// Whose statistics a client asks for.
enum StatisticsQuery: Hashable {
    case transport(TransportID)
    case producer(ProducerID)
    case consumer(ConsumerID)
    case dataProducer(DataProducerID)
    case dataConsumer(DataConsumerID)
}
