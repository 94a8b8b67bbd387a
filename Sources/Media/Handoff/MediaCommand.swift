/// What a room tells a shard. Commands for one transport are carried out in the order they were given.
///
/// What carries more than keys is `indirect`: a queue has 65,536 places, each as large as the largest case.
package enum MediaCommand: Sendable {
    /// The machine has got an address. Sent by the plane itself.
    case listen(AttachedSocket)
    /// It has lost one that was given by `listen`, or at the start.
    case stopListening(IPAddressPort)
    /// A client has come to another shard. Sent by that one.
    case takeConnection(HandedConnection)

    indirect case openTransport(TransportKey, TransportSettings, EventQueue)
    /// The client's side of the handshake is known: the server's DTLS role and the client's certificate fingerprint.
    indirect case connectTransport(TransportKey, role: DTLSRole, remoteFingerprint: DTLSFingerprint)
    indirect case restartICE(TransportKey, ICECredentials)
    /// A transport without ICE and DTLS, on sockets of its own.
    indirect case openPlainTransport(TransportKey, PlainTransportSettings, PlainSockets, EventQueue)
    /// The client's side of a plain transport is known.
    indirect case connectPlainTransport(TransportKey, PlainRemote)
    case closeTransport(TransportKey)

    indirect case openProducer(ProducerKey, on: TransportKey, ProducerSettings)
    case setProducerPaused(ProducerKey, Bool)
    case closeProducer(ProducerKey)

    indirect case openConsumer(ConsumerKey, on: TransportKey, of: ProducerKey, ConsumerSettings)
    /// The consumer's own pause.
    case setConsumerPaused(ConsumerKey, Bool)
    /// The producer's pause, as the consumer's shard has to know it.
    case setConsumerProducerPaused(ConsumerKey, Bool)
    case requestKeyFrame(ConsumerKey)
    /// The layers to send at most, from now on; clamped to those the producer has.
    case setConsumerPreferredLayers(ConsumerKey, ConsumerLayers)
    /// 1…255: which consumers of a transport get layers first where not all fit.
    case setConsumerPriority(ConsumerKey, UInt8)
    /// Points a consumer at another producer of the same kind and codec, on a key frame, with numbers that go on.
    indirect case switchProducer(ConsumerKey, to: ProducerKey, SourceSettings)
    case closeConsumer(ConsumerKey)

    indirect case openDataProducer(DataProducerKey, on: TransportKey, DataProducerSettings)
    /// One whose messages come from its room.
    case openDirectDataProducer(DataProducerKey)
    case setDataProducerPaused(DataProducerKey, Bool)
    case closeDataProducer(DataProducerKey)
    indirect case openDataConsumer(DataConsumerKey, on: TransportKey, of: DataProducerKey, DataConsumerSettings)
    /// One whose messages go to its room.
    indirect case openDirectDataConsumer(DataConsumerKey, of: DataProducerKey, largestMessage: Int, EventQueue)
    case releaseDataConsumer(DataConsumerKey)
    case setDataConsumerPaused(DataConsumerKey, Bool)
    case setDataConsumerSubchannels(DataConsumerKey, [UInt16])
    case setBufferedAmountLowThreshold(DataConsumerKey, UInt32)
    case closeDataConsumer(DataConsumerKey)
    /// One that the client has opened in band and that gets no data producer.
    case closeDataChannel(TransportKey, stream: UInt16)
    /// A message of a direct producer, or to one consumer alone.
    indirect case sendData(DataProducerKey, DataMessage)
    indirect case sendDataToConsumer(DataConsumerKey, DataMessage)
    /// As `subscribeShard` and `unsubscribeShard`.
    case subscribeShardToData(Int, to: DataProducerKey)
    case unsubscribeShardFromData(Int, from: DataProducerKey)

    /// What a transport may be sent and its client may send at most, in bits per second; `nil`: no limit, and for what it is
    /// sent also no estimate of its network that begins later.
    indirect case setBitrateLimits(TransportKey, BitrateLimits?, incoming: UInt64?)
    /// Begins to write down what goes into a transport's bandwidth machines, again if it does already, or ends it.
    case recordBandwidth(TransportKey, Bool)

    /// Which events a producer or consumer tells of its packets; none at first.
    case traceProducer(ProducerKey, TraceKinds)
    case traceConsumer(ConsumerKey, TraceKinds)

    /// The producer's shard starts or stops copying the producer's packets to another shard, which has its first or no
    /// more consumer of it. Sent by the plane itself.
    case subscribeShard(Int, to: ProducerKey)
    case unsubscribeShard(Int, from: ProducerKey)

    /// Asks for the statistics of transports of this shard, with their producers and consumers; answered by
    /// `MediaEvent.statistics` with the same token.
    case collectStatistics(token: UInt64, [TransportKey], StatisticsDetail, EventQueue)
}
