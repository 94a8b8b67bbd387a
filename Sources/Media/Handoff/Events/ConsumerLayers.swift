/// A spatial layer (of simulcast: the index of the encoding) and a temporal one, from 0.
public struct ConsumerLayers: Sendable, Hashable {
    /// 0…7.
    public var spatial: UInt8
    /// 0…7.
    public var temporal: UInt8

    /// Layers.
    public init(spatial: UInt8, temporal: UInt8) {
        self.spatial = spatial
        self.temporal = temporal
    }
}
