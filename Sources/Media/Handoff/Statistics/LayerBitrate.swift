/// What the receivers of one layer get.
public struct LayerBitrate: Sendable, Hashable {
    /// The layer, with those below it.
    public var layers: ConsumerLayers
    /// Bits per second, recently.
    public var bitrate: UInt64

    /// A bitrate.
    public init(layers: ConsumerLayers, bitrate: UInt64) {
        self.layers = layers
        self.bitrate = bitrate
    }
}
