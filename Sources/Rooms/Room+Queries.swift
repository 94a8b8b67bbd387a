import Media

extension Room {
    /// What the joined peers publish, in the order of their coming and of its making.
    public func publications() -> [Publication] { state.publications() }

    /// Whether a client is, or was, connected to a transport; `false` where it is closed.
    public func hasConnected(_ id: TransportID) -> Bool {
        state.transports[id]?.hasConnected ?? false
    }
}
