import Logging
import RoundhouseMedia

/// What operators may do, without being a peer.
extension Room {
    /// Closes a peer's connection with all the peer has.
    /// - Returns: `false` if there is no such peer.
    public func kick(_ id: PeerID, _ reason: PeerCloseReason = .kicked) -> Bool {
        guard let peer = state.peers[id] else { return false }
        perform(state.peerLeft(peer.session, reason))
        finishTransition()
        return true
    }

    /// Pauses or resumes a producer as its peer can, and notifies the peer; it is no lock, the peer may change it again.
    /// - Throws: `RoomError` with code `producerNotFound`, or `overloaded`.
    public func setProducerPaused(_ id: ProducerID, _ isPaused: Bool) throws(RoomError) {
        guard let producer = state.producers[id] else {
            throw RoomError(.producerNotFound, "producer with id \"\(id)\" not found")
        }
        guard producer.isPaused != isPaused else { return }
        do {
            try media.setProducerPaused(producer.key, isPaused)
        } catch {
            throw RoomError(error)
        }
        perform(state.producerPauseChanged(id, isPaused))
        if let peer = state.peers[producer.peerID] {
            perform([.notify(peer.session, isPaused ? .producerPaused(id) : .producerResumed(id))])
        }
        finishTransition()
    }

    /// The newest events of the room, oldest first.
    public var recentEvents: [RoomEvent] { Array(recent.suffix(Self.recentLimit)) }

    /// How many events a room keeps to show.
    static let recentLimit = 256

    /// Appends what has happened since the last time to the log.
    func publishEvents() {
        guard !state.journal.isEmpty else { return }
        let kinds = state.journal
        state.journal = []
        for case .producerUnsupported(let producer, let peer, let reason) in kinds {
            logger.info(
                "a peer is not offered a producer, which it could not decode",
                metadata: [
                    "room.id": "\(id)", "peer.id": "\(peer)", "producer.id": "\(producer)", "reason": "\(reason)",
                ])
        }
        let events = eventLog.append(kinds, of: id, after: lastSequence, time: wallClock())
        lastSequence &+= UInt64(events.count)
        for event in events {
            attendance.take(event.kind, at: event.time)
            if case .peerLeft(let peer, let reason) = event.kind { logLeaving(of: peer, reason, at: event.time) }
        }
        recent += events
        if recent.count > 2 * Self.recentLimit { recent.removeFirst(recent.count - Self.recentLimit) }
    }

    /// Says of somebody who had joined why they left, and after how long: what one looks for when a call broke off.
    private func logLeaving(of peer: PeerID, _ reason: PeerCloseReason, at time: Int64) {
        guard let visit = attendance.visits.last(where: { $0.peerID == peer }), visit.leftAt == time else { return }
        logger.info(
            "peer left",
            metadata: [
                "room.id": "\(id)", "peer.id": "\(peer)", "name": "\(visit.displayName)",
                "reason": "\(reason.rawValue)",
                "seconds": "\((time - visit.joinedAt) / 1000)",
            ])
    }

    /// A client's notification may be an event for operators; the same speaker is reported to every peer, and is one event.
    func observe(_ notification: ServerNotification) {
        guard let kind = RoomEvent.Kind(notification) else { return }
        if case .activeSpeaker(let id) = kind {
            guard announcedSpeaker != id else { return }
            announcedSpeaker = id
        }
        state.journal.append(kind)
    }
}
