extension RoomState {
    /// What others publish, in the order of their peers and of its making.
    func publications(except id: PeerID? = nil) -> [Publication] {
        orderedPeers.filter { $0.isJoined && $0.id != id }.flatMap(\.producerIDs).compactMap { producers[$0] }.map {
            Publication(
                peerID: $0.peerID, producerID: $0.id, kind: $0.kind, isPaused: $0.isPaused,
                rtpParameters: $0.consumable, appData: $0.appData)
        }
    }
}
