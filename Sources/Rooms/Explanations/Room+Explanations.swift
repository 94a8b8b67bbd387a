import RoundhouseMedia

extension Room {
    /// Says why a peer is sent what it is sent.
    /// - Parameters:
    ///   - ago: which moment within the last ten minutes, in milliseconds before now.
    ///   - withHistory: whether to add all that is known of those ten minutes.
    /// - Returns: `nil` if there is no such peer.
    public func explanation(of peer: PeerID, ago: Int = 0, withHistory: Bool = false) async -> PeerExplanation? {
        guard let keys = state.transportsExplaining(peer) else { return nil }
        let collected = await collect(keys, .history)
        return state.explanation(
            of: peer, collected, ago: .milliseconds(ago), withHistory: withHistory, timestamp: wallClock())
    }

    // MARK: Recordings

    /// Begins to write down, for a replay, what decides what a peer is sent; again if it does already.
    /// - Returns: `nil` if there is no such peer; else how many of its transports are recorded now.
    /// - Throws: `RoomError` with code `overloaded`.
    public func startRecording(of peer: PeerID) async throws(RoomError) -> Int? {
        guard let keys = try setRecording(of: peer, true) else { return nil }
        return await collect(keys).transports.values.count { $0.isRecording }
    }

    /// Ends and forgets a peer's recordings.
    /// - Returns: `false` if there is no such peer.
    /// - Throws: `RoomError` with code `overloaded`.
    public func stopRecording(of peer: PeerID) throws(RoomError) -> Bool { try setRecording(of: peer, false) != nil }

    /// - Returns: what has been written down of a peer's transports; `nil` if there is no such peer.
    public func recordings(of peer: PeerID) async -> [TransportID: [UInt8]]? {
        guard let keys = receivingTransports(of: peer) else { return nil }
        let collected = await collect(keys, .recording)
        var recordings: [TransportID: [UInt8]] = [:]
        for (key, statistics) in collected.transports {
            guard let id = state.transportIDs[key], let recording = statistics.recording else { continue }
            recordings[id] = recording
        }
        return recordings
    }

    private func receivingTransports(of peer: PeerID) -> [TransportKey]? {
        state.peers[peer].map { peer in
            peer.transportIDs.compactMap { state.transports[$0] }.filter { !$0.consumerIDs.isEmpty }.map(\.key)
        }
    }

    private func setRecording(of peer: PeerID, _ isOn: Bool) throws(RoomError) -> [TransportKey]? {
        guard let keys = receivingTransports(of: peer) else { return nil }
        do {
            for key in keys { try media.recordBandwidth(of: key, isOn) }
        } catch {
            throw RoomError(error)
        }
        return keys
    }
}
