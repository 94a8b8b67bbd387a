/// The addresses at which the machine can be reached have changed.
public struct AddressChange: Sendable, Hashable {
    /// Those that are listened on now, and were not before.
    public var opened: [String]
    /// All that new transports' clients get, unless others are announced.
    public var announced: [String]
    /// Whether one of them is not this machine's alone.
    public var isReachable: Bool

    /// A change.
    public init(opened: [String], announced: [String], isReachable: Bool) {
        self.opened = opened
        self.announced = announced
        self.isReachable = isReachable
    }
}
