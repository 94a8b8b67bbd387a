import RoundhouseMedia

/// A plain transport that is about to be opened on the media plane.
struct PlainTransportOpening {
    let id: TransportID
    let peerID: PeerID
    let settings: PlainTransportSettings
}
