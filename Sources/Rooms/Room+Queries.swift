import RoundhouseMedia

extension Room {
    /// What a peer's transports have seen so far; `nil` if the media threads did not say in time.
    public func activity(of session: PeerSession) async -> PeerActivity? {
        let own = state.transports.values.filter { $0.peerID == session.peerID }
        let isChecked = own.contains(where: \.isChecked)
        let collected = await collect(own.map(\.key))
        guard collected.isComplete else { return nil }
        let traffic = collected.transports.values.reduce(0) { $0 &+ $1.packetsReceived &+ $1.bytes.rtpSent }
        return PeerActivity(isChecked: isChecked, traffic: traffic)
    }

    /// What the joined peers publish, in the order of their coming and of its making.
    public func publications() -> [Publication] { state.publications() }

    /// Whether a client is, or was, connected to a transport; `false` if it is closed.
    public func hasConnected(_ id: TransportID) -> Bool {
        state.transports[id]?.hasConnected ?? false
    }
}
