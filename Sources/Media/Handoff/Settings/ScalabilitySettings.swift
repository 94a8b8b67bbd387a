/// How a producer's encodings carry layers.
public struct ScalabilitySettings: Sendable, Hashable {
    /// Spatial layers of each encoding, 1…8; more than one is SVC.
    public var spatialLayers: Int
    /// Temporal layers of each encoding, 1…8.
    public var temporalLayers: Int
    /// Higher layers depend on lower ones only in key pictures (a mode that ends in `_KEY`).
    public var isKSVC: Bool
    /// Silence in an encoding does not mean that it is gone (`dtx`, as screen sharing has it).
    public var usesDTX: Bool

    /// One layer, unless said otherwise.
    public init(spatialLayers: Int = 1, temporalLayers: Int = 1, isKSVC: Bool = false, usesDTX: Bool = false) {
        self.spatialLayers = spatialLayers
        self.temporalLayers = temporalLayers
        self.isKSVC = isKSVC
        self.usesDTX = usesDTX
    }
}
