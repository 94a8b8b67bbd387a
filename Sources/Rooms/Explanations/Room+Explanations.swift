import RoundhouseMedia

extension Room {
    /// Says why a peer is sent what it is sent.
    /// - Parameters:
    ///   - ago: which moment within the last ten minutes, in milliseconds before now.
    ///   - withHistory: whether to add all that is known of those ten minutes.
    /// - Returns: `nil` if there is no such peer.
    public func explanation(of peer: PeerID, ago: Int = 0, withHistory: Bool = false) async -> PeerExplanation? {
        guard state.peers[peer] != nil else { return nil }
        // Others' transports, too: what a sender makes is counted there.
        let collected = await collect(Array(state.transportIDs.keys), withHistory: true)
        return state.explanation(
            of: peer, collected, ago: .milliseconds(ago), withHistory: withHistory, timestamp: wallClock())
    }
}
