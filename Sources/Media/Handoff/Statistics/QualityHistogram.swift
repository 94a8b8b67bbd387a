/// What one shard has measured of one kind of media.
public struct QualityHistogram: Sendable {
    /// What was measured.
    public var measure: QualityMeasure
    /// Audio or video.
    public var kind: MediaKind
    /// How many values each bucket took, the one beyond the bounds last.
    public var counts: [UInt64]
    /// Of all values, in the measure's unit.
    public var sum: UInt64

    /// A histogram.
    public init(measure: QualityMeasure, kind: MediaKind, counts: [UInt64], sum: UInt64) {
        self.measure = measure
        self.kind = kind
        self.counts = counts
        self.sum = sum
    }
}
