/// A consumer's quality, 0 to 10.
public struct ConsumerScore: Sendable, Hashable {
    /// Of the consumer's own stream.
    public var score: Int
    /// Of the producer's stream it gets.
    public var producerScore: Int
    /// Of all the producer's streams.
    public var producerScores: [Int]

    var json: JSONValue {
        .object([
            "score": .integer(Int64(score)), "producerScore": .integer(Int64(producerScore)),
            "producerScores": .array(producerScores.map { .integer(Int64($0)) }),
        ])
    }
}
