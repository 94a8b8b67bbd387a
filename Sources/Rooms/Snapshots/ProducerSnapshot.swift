public import RoundhouseMedia

/// A producer at one moment.
public struct ProducerSnapshot: Sendable, JSONRepresentable {
    /// Which producer.
    public var id: ProducerID
    /// Audio or video.
    public var kind: MediaKind
    /// Its type.
    public var type: ProducerType
    /// The first codec's MIME type.
    public var mimeType: String
    /// What it is of, if its client says so.
    public var source: String?
    /// What its client wants the others to know.
    public var appData: JSONValue
    /// Whether its peer paused it.
    public var isPaused: Bool
    /// Of the streams that have been received.
    public var scores: [ProducerScore]
    /// Packets not taken, since it sent more than it may; `nil` if the counters did not arrive in time.
    public var packetsOverLimit: UInt64?
    /// Statistics entries as `getProducerStats` gives them.
    public var statistics: [JSONValue]

    /// The producer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "kind": .string(kind.rawValue), "type": .string(type.rawValue),
            "mimeType": .string(mimeType), "source": source.map { .string($0) }, "appData": appData,
            "paused": .bool(isPaused), "score": .array(scores.map(\.json)),
            "packetsOverLimit": packetsOverLimit.map { .count($0) }, "streams": .array(statistics),
        ])
    }
}
