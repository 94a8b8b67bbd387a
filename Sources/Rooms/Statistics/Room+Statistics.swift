import RoundhouseMedia

extension Room {
    /// The room as it is, with the media threads' counters as far as they arrive within `statisticsTimeout`.
    /// - Parameter withStatistics: `false` asks the media threads nothing.
    public func snapshot(withStatistics: Bool = true) async -> RoomSnapshot {
        let collected = await collect(withStatistics ? Array(state.transportIDs.keys) : [])
        return RoomSnapshot(state, collected, timestamp: wallClock())
    }

    func statistics(_ query: StatisticsQuery, for session: PeerSession) async throws(RoomError) -> [JSONValue] {
        let collected = await collect(state.transportKeys(of: query))
        // The room has gone on meanwhile: whatever was asked about may be gone.
        _ = try state.peer(session)
        guard collected.isComplete else {
            throw RoomError(.timedOut, "the media threads did not answer in time: try again")
        }
        let entries = state.statistics(query, collected, timestamp: wallClock())
        guard let entries else { throw RoomError(.peerClosed, "closed while its statistics were collected") }
        return entries
    }

    func collect(_ keys: [TransportKey], _ detail: StatisticsDetail = []) async -> CollectedStatistics {
        lastToken += 1
        let token = lastToken
        let asked = try? media.collectStatistics(token: token, of: keys, detail, events: events)
        guard let expected = asked else {
            return CollectedStatistics(transports: [:], isComplete: false)
        }
        guard expected > 0 else { return CollectedStatistics(transports: [:], isComplete: true) }
        let limit = state.configuration.statisticsTimeout
        return await withCheckedContinuation { continuation in
            let timeout = Task { [weak self] in
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                await self?.finishCollection(token)
            }
            collections[token] = StatisticsCollection(
                remaining: expected, continuation: continuation, timeout: timeout)
        }
    }

    /// One media thread's counters; those of a collection that was given up are ignored.
    func statisticsArrived(_ token: UInt64, _ statistics: [TransportStatistics]) {
        guard collections[token] != nil else { return }
        for transport in statistics { collections[token]?.gathered[transport.key] = transport }
        collections[token]?.remaining -= 1
        if collections[token]?.remaining == 0 { finishCollection(token) }
    }

    private func finishCollection(_ token: UInt64) {
        guard let collection = collections.removeValue(forKey: token) else { return }
        collection.timeout.cancel()
        collection.continuation.resume(
            returning: CollectedStatistics(transports: collection.gathered, isComplete: collection.remaining == 0))
    }

    /// The room is closed: nobody waits any longer.
    func finishCollections() {
        for token in Array(collections.keys) { finishCollection(token) }
    }
}
