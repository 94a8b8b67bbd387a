import RoundhouseMedia

/// A data producer that is about to be opened on the media plane.
struct DataProducerOpening {
    let id: DataProducerID
    let peerID: PeerID?
    /// `nil` for one whose messages come from the room.
    let source: DataProducer.Source?
    let transportKey: TransportKey?
    let label: String
    let protocolName: String
    let appData: JSONValue
    let isPaused: Bool
}
