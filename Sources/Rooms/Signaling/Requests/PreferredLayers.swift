/// Layers a consumer is sent at most.
public struct PreferredLayers: Sendable, Hashable {
    /// 0 is the lowest.
    public var spatialLayer: Int
    /// 0 is the lowest; the highest if absent.
    public var temporalLayer: Int?

    /// Layers.
    public init(spatialLayer: Int, temporalLayer: Int? = nil) {
        self.spatialLayer = spatialLayer
        self.temporalLayer = temporalLayer
    }
}
