/// What an endpoint, or the router, can receive.
public struct RTPCapabilities: Sendable, Hashable {
    /// In order of preference; an RTX codec follows the one it repairs.
    public var codecs: [RTPCodecCapability]
    /// The header extensions it understands.
    public var headerExtensions: [RTPHeaderExtension]

    /// Capabilities.
    public init(codecs: [RTPCodecCapability] = [], headerExtensions: [RTPHeaderExtension] = []) {
        self.codecs = codecs
        self.headerExtensions = headerExtensions
    }
}
