/// A producer stream's quality, 0 (nothing arrives) to 10.
public struct ProducerScore: Sendable, Hashable {
    /// The encoding's index.
    public var encodingIndex: Int
    /// The stream's SSRC.
    public var ssrc: UInt32
    /// The stream's RID.
    public var rid: String?
    /// 0…10.
    public var score: Int

    var json: JSONValue {
        .fields([
            "encodingIdx": .integer(Int64(encodingIndex)), "ssrc": .integer(Int64(ssrc)),
            "rid": rid.map { .string($0) }, "score": .integer(Int64(score)),
        ])
    }
}
