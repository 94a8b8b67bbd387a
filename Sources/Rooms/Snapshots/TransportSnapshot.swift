public import RoundhouseMedia

/// A transport at one moment.
public struct TransportSnapshot: Sendable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// The media thread that owns it.
    public var shard: Int
    /// How its client reaches it.
    public var path: TransportPath
    /// Its counters, if they arrived in time.
    public var statistics: TransportStatistics?
    /// What does not flow although it should.
    public var warnings: [TransportWarning]
    /// What it may be sent, and its client may send.
    public var bitrates: TransportBitrates
    /// What it receives.
    public var producers: [ProducerSnapshot]
    /// What it sends.
    public var consumers: [ConsumerSnapshot]
    /// Its data channels; `nil` if there are none.
    public var sctp: DataTransportSnapshot?

    /// The transport's fields, its producers and consumers.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "shard": .integer(Int64(shard)),
            "srtpProfile": statistics?.srtpProfile.map { .string($0) },
            "bytesReceived": statistics.map { .count($0.bytes.received) },
            "packetsReceived": statistics.map { .count($0.packetsReceived) },
            "bytesSent": statistics.map { .count($0.bytes.sent) },
            "packetsSent": statistics.map { .count($0.packetsSent) },
            "packetsOverLimit": statistics.map { .count($0.packetsOverLimit) },
            "bandwidth": statistics?.bandwidth.map(\.json),
            "warnings": .array(warnings.map(\.json)), "producers": .array(producers.map(\.json)),
            "consumers": .array(consumers.map(\.json)), "sctp": sctp?.json,
        ]).merging(bitrates.json).merging(path.json)
    }
}
