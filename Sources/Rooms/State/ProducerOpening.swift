import RoundhouseMedia

/// A producer that is about to be opened on the media plane.
struct ProducerOpening {
    let id: ProducerID
    let peerID: PeerID
    let transportID: TransportID
    let transportKey: TransportKey
    let kind: MediaKind
    let type: ProducerType
    let mapping: ProducerMapping
    let consumable: RTPParameters
    let appData: JSONValue
    let settings: ProducerSettings
}
