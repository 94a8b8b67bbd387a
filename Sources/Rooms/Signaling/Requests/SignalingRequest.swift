/// What a client asks of its room, whatever the dialect it spoke.
public enum SignalingRequest: Sendable {
    case getRouterRtpCapabilities
    case join(JoinRequest)
    case createWebRtcTransport(CreateWebRtcTransportRequest)
    case connectWebRtcTransport(ConnectWebRtcTransportRequest)
    case createPlainTransport(CreatePlainTransportRequest)
    case connectPlainTransport(ConnectPlainTransportRequest)
    case restartIce(TransportID)
    case produce(ProduceRequest)
    case closeProducer(ProducerID)
    case pauseProducer(ProducerID)
    case resumeProducer(ProducerID)
    case pauseConsumer(ConsumerID)
    case resumeConsumer(ConsumerID)
    case closeConsumer(ConsumerID)
    /// Makes a consumer now; for peers that joined with `consumesOnRequest`, or have not joined and are seen by nobody.
    case consume(ConsumeRequest)
    /// Every producer of the room, the peer's own ones included.
    case getProducers
    /// Every joined peer of the room, the asking one included.
    case getPeers
    case setConsumerPreferredLayers(SetConsumerPreferredLayersRequest)
    case setConsumerPriority(SetConsumerPriorityRequest)
    case requestConsumerKeyFrame(ConsumerID)
    /// Points a consumer at another producer without negotiation; answered with the consumer as it is then.
    case switchProducer(SwitchProducerRequest)
    case produceData(ProduceDataRequest)
    case closeDataProducer(DataProducerID)
    case pauseDataProducer(DataProducerID)
    case resumeDataProducer(DataProducerID)
    /// Makes a data consumer now, as `consume` does.
    case consumeData(ConsumeDataRequest)
    case closeDataConsumer(DataConsumerID)
    case pauseDataConsumer(DataConsumerID)
    case resumeDataConsumer(DataConsumerID)
    case setDataConsumerSubchannels(SetDataConsumerSubchannelsRequest)
    case setBufferedAmountLowThreshold(SetBufferedAmountLowThresholdRequest)
    /// A text from a client without data channels.
    case sendDataMessage(SendDataMessageRequest)
    case changeDisplayName(String)
    case getTransportStats(TransportID)
    case getProducerStats(ProducerID)
    case getConsumerStats(ConsumerID)
    case getDataProducerStats(DataProducerID)
    case getDataConsumerStats(DataConsumerID)
    case applyNetworkThrottle
    case resetNetworkThrottle
}
