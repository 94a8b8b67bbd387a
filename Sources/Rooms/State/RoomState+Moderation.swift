import RoundhouseMedia

extension RoomState {
    /// Locks or unlocks the room, and notifies everybody.
    mutating func lockChanged(_ isLocked: Bool) -> [RoomAction] {
        guard self.isLocked != isLocked else { return [] }
        self.isLocked = isLocked
        journal.append(isLocked ? .roomLocked : .roomUnlocked)
        return orderedPeers.filter(\.isJoined).map { .notify($0.session, .roomLockChanged(isLocked: isLocked)) }
    }

    /// Changes what a peer may send and receive. Pausing its producers is left to whoever reaches the media plane.
    mutating func permissionsChanged(of id: PeerID, to permissions: PeerPermissions) -> [RoomAction] {
        guard let peer = peers[id] else { return [] }
        let former = peer.grant.permissions
        let changed = permissions.subtracting(.moderate).union(former.intersection(.moderate))
        guard changed != former else { return [] }
        peers[id]?.grant.permissions = changed
        journal.append(.peerPermissions(id, changed))
        var actions: [RoomAction] = [.notify(peer.session, .permissionsChanged(changed))]
        switch (former.contains(.subscribe), changed.contains(.subscribe)) {
        case (true, false):
            for consumerID in peer.consumerIDs {
                if let consumer = consumers[consumerID] { peers[id]?.offeredProducerIDs.remove(consumer.producerID) }
                actions += consumerClosed(consumerID)
            }
            for consumerID in peer.dataConsumerIDs {
                if let consumer = data.consumers[consumerID] {
                    peers[id]?.offeredDataProducerIDs.remove(consumer.producerID)
                }
                actions += dataConsumerClosed(consumerID)
            }
        case (false, true):
            actions += watchAllData(id)
            guard peer.isJoined else { break }
            if peer.consumesOnRequest {
                let others = joinedPeers(except: id).flatMap(\.producerIDs).compactMap { producers[$0]?.description }
                if !others.isEmpty { actions.append(.notify(peer.session, .newProducers(others))) }
            } else {
                actions += consumeEverything(id)
            }
            actions += consumeAllData(id)
        case (true, true), (false, false): break
        }
        // There is no pause that its client could not end: what it sends is over.
        if !changed.contains(.data) {
            for producerID in peer.dataProducerIDs { actions += dataProducerClosed(producerID) }
        }
        return actions
    }
}
