/// A message on its way to another shard, for the consumers there of one producer.
struct DataDelivery: Sendable {
    var producer: DataProducerKey
    var message: DataMessage
}
