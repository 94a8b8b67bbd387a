/// Whose statistics a client asks for.
enum StatisticsQuery: Hashable {
    case transport(TransportID)
    case producer(ProducerID)
    case consumer(ConsumerID)
}
