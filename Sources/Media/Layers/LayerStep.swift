/// A choice of layers of one source: what it costs, and what it is worth to who sees it.
struct LayerStep: Hashable, Sendable {
    var position: LayerPosition
    /// Bits per second on the wire, headers of all kinds included.
    var cost: UInt64
    /// 0…1000: how good the picture is.
    var value: Int
}
