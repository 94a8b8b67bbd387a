public import RoundhouseMedia

/// A consumer at one moment.
public struct ConsumerSnapshot: Sendable, JSONRepresentable {
    /// Which consumer.
    public var id: ConsumerID
    /// What it consumes.
    public var producerID: ProducerID
    /// Audio or video.
    public var kind: MediaKind
    /// How the producer's encodings are made.
    public var type: ProducerType
    /// The first codec's MIME type.
    public var mimeType: String
    /// Whether its own peer paused it, or has not yet accepted it.
    public var isPaused: Bool
    /// Whether the producer is paused.
    public var isProducerPaused: Bool
    /// 0…10.
    public var score: Int
    /// What is sent of several layers; `nil` while nothing is, and of a simple producer.
    public var currentLayers: ConsumerLayers?
    /// Statistics entries as `getConsumerStats` gives them.
    public var statistics: [JSONValue]

    /// The consumer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "producerId": .string(producerID.rawValue), "kind": .string(kind.rawValue),
            "type": .string(type.rawValue), "mimeType": .string(mimeType), "paused": .bool(isPaused),
            "producerPaused": .bool(isProducerPaused), "score": .integer(Int64(score)),
            "currentLayers": currentLayers.map {
                .object([
                    "spatialLayer": .integer(Int64($0.spatial)), "temporalLayer": .integer(Int64($0.temporal)),
                ])
            },
            "streams": .array(statistics),
        ])
    }
}
