/// What is sent, when the network allows it.
struct Load {
    /// A source that sends what the estimate allows, up to `limit`.
    var isElastic = false
    /// In bits per second.
    var limit = 20_000_000.0
    var cameras = 0
    var isQuiet: (Double) -> Bool = { _ in false }

    static var elastic: Load { Load(isElastic: true) }
    static func cameras(_ count: Int) -> Load { Load(cameras: count) }
}
