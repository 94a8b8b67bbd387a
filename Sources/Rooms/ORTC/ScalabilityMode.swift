/// A scalability mode: `L1T3`, `L3T3_KEY`, `S2T1`.
public struct ScalabilityMode: Sendable, Hashable {
    /// 1…99.
    public let spatialLayers: Int
    /// 1…99.
    public let temporalLayers: Int
    /// Whether spatial layers depend on each other at key frames only.
    public let isKSVC: Bool

    /// Reads a mode; what is none counts as one layer of each.
    public init(_ text: String?) {
        if let mode = Self.parse(text ?? "") { self = mode } else { self.init(1, 1, false) }
    }

    private init(_ spatialLayers: Int, _ temporalLayers: Int, _ isKSVC: Bool) {
        self.spatialLayers = spatialLayers
        self.temporalLayers = temporalLayers
        self.isKSVC = isKSVC
    }

    private static func parse(_ text: String) -> ScalabilityMode? {
        guard let first = text.first, first == "L" || first == "S" else { return nil }
        var rest = text.dropFirst()
        guard let spatial = number(&rest), rest.popFirst() == "T", let temporal = number(&rest) else { return nil }
        return ScalabilityMode(spatial, temporal, rest.hasPrefix("_KEY"))
    }

    /// One or two digits without a leading zero.
    private static func number(_ text: inout Substring) -> Int? {
        let digits = text.prefix(2).prefix { $0.isASCII && $0.isNumber }
        guard let first = digits.first, first != "0", let value = Int(digits) else { return nil }
        text = text.dropFirst(digits.count)
        return value
    }
}
