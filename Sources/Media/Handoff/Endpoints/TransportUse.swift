/// What is known of a transport's use when it is opened.
public struct TransportUse: Hashable, Sendable {
    /// Its client said that it will send.
    public var sends: Bool
    /// Its client said that it will receive.
    public var receives: Bool
    /// Its client has no other and did not say what this one is for: such clients open the one they send on first.
    public var isFirst: Bool

    /// A use.
    public init(sends: Bool, receives: Bool, isFirst: Bool) {
        self.sends = sends
        self.receives = receives
        self.isFirst = isFirst
    }

    /// Nothing is known.
    public static let unknown = TransportUse(sends: false, receives: false, isFirst: false)
}
