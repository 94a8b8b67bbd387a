public import RoundhouseMedia

/// What operators, and moderators of the room, may do about everybody at once and about what one peer may do.
extension Room {
    /// Pauses everybody's producers of a kind as `setProducerPaused` does.
    /// - Parameters:
    ///   - except: peers whose producers go on.
    /// - Returns: how many were paused now.
    /// - Throws: `RoomError` with code `overloaded`; those before it are paused.
    public func pauseProducers(of kind: MediaKind, except: Set<PeerID>) throws(RoomError) -> Int {
        var paused = 0
        let chosen = state.orderedPeers.filter { !except.contains($0.id) }.flatMap(\.producerIDs)
        for id in chosen {
            guard let producer = state.producers[id], producer.kind == kind, !producer.isPaused else { continue }
            try setProducerPaused(id, true)
            paused += 1
        }
        return paused
    }

    /// Lets nobody in but moderators, or everybody again; until the room closes.
    public func setLocked(_ isLocked: Bool) {
        perform(state.lockChanged(isLocked))
        finishTransition()
    }

    /// Changes what a peer may do, and notifies it: without `publish` its producers are paused and stay so, without `data`
    /// its data producers end, without `subscribe` its consumers. Whether it moderates is its token's matter, and stays.
    /// - Returns: `false` if there is no such peer.
    /// - Throws: `RoomError` with code `overloaded`; what was changed before it stays.
    public func setPermissions(of id: PeerID, _ permissions: PeerPermissions) throws(RoomError) -> Bool {
        guard state.peers[id] != nil else { return false }
        defer { finishTransition() }
        perform(state.permissionsChanged(of: id, to: permissions))
        guard let peer = state.peers[id], !peer.may(.publish) else { return true }
        for producerID in peer.producerIDs { try setProducerPaused(producerID, true) }
        return true
    }

    /// The same for some of its permissions, the others staying as they are.
    public func changePermissions(
        of id: PeerID, granting: PeerPermissions, taking: PeerPermissions
    ) throws(RoomError) -> Bool {
        guard let former = state.peers[id]?.grant.permissions else { return false }
        return try setPermissions(of: id, former.subtracting(taking).union(granting))
    }

    /// Sends an operator's words to everybody, or to one peer.
    /// - Returns: `false` if there is no such peer.
    public func say(_ text: String, to id: PeerID? = nil) -> Bool {
        if let id, state.peers[id] == nil { return false }
        let receivers = state.orderedPeers.filter { id == nil ? $0.isJoined : $0.id == id }
        perform(receivers.map { .notify($0.session, .operatorMessage(text)) })
        return true
    }

    /// Which peer it is, and by what it has its name.
    func identity(of id: PeerID) -> (description: PeerDescription, claim: PeerClaim?)? {
        state.peers[id].map { ($0.description, $0.grant.claim) }
    }
}
