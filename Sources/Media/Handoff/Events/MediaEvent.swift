/// What a shard reports to a room.
public enum MediaEvent: Sendable {
    case iceStateChanged(TransportKey, ICEState, selected: TransportTuple?)
    case dtlsStateChanged(TransportKey, DTLSState)
    /// The handshake failed, or the connection it made; `dtlsStateChanged` follows.
    case handshakeFailed(TransportKey, DTLSFailure, detail: String?)
    /// The transport lost its last tuple to another transport that its client uses from the same address. It has its
    /// consent timeout to be heard from elsewhere.
    case transportSuperseded(TransportKey, by: TransportKey)
    /// A plain transport's addresses changed: its client was named, or has shown itself.
    case plainTuplesChanged(TransportKey, PlainTuples)
    /// What a transport's client means to send or get does not flow; at most one warning of a kind at a time.
    case warningRaised(TransportKey, TransportWarning)
    /// It flows, or is not expected any more.
    case warningCleared(TransportKey, TransportWarning.Kind)
    /// The plane could not carry out a command (its message says which and why).
    case commandFailed(TransportKey, MediaError)
    case statistics(token: UInt64, [TransportStatistics])
    /// The layers being sent to a consumer changed; `nil` while nothing is sent. With the reason, where its network is judged.
    case consumerLayersChanged(ConsumerKey, ConsumerLayers?, LayerReason? = nil)
    /// A consumer's score changed: its own, or its producer's as the consumer gets it.
    case consumerScoreChanged(ConsumerKey, score: UInt8)
    /// The score of one of a producer's streams changed.
    case producerScoreChanged(ProducerKey, [EncodingScore])
    /// A producer's client sends a different one of its codecs from now on: the router's payload type.
    case producerCodecChanged(ProducerKey, payloadType: UInt8)
    /// A producer's video orientation was reported for the first time, or changed.
    case videoOrientationChanged(ProducerKey, VideoOrientation)
    /// Audio levels of producers since the last such event of their shard, at most one for each producer.
    case audioLevels([AudioLevelReport])
    /// What a transport's network carries changed, or what its client wants; at most once a second.
    case bandwidthReported(TransportKey, BandwidthReport)
    /// A transport's SCTP association begins, is there, or has ended.
    case sctpStateChanged(TransportKey, SCTPConnectionState)
    /// What happened to a data producer or consumer.
    case data(DataEvent)
    /// A packet of an object whose trace was asked for.
    case trace(TraceEvent)
}
