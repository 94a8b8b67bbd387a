import RoundhouseMedia

/// A transport that is about to be opened on the media plane.
struct TransportOpening {
    let id: TransportID
    let peerID: PeerID
    let isConsuming: Bool
    let settings: TransportSettings
}
