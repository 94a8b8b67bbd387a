import RoundhouseMedia

/// A producer that is open on the media plane.
struct Producer {
    let id: ProducerID
    let peerID: PeerID
    let transportID: TransportID
    let key: ProducerKey
    let kind: MediaKind
    let type: ProducerType
    let mapping: ProducerMapping
    let consumable: RTPParameters
    let appData: JSONValue
    var isPaused: Bool
    var consumerIDs: [ConsumerID] = []
    /// Of the streams that have been received; empty before the first.
    var scores: [ProducerScore] = []

    var mimeType: String { consumable.codecs.first?.mimeType ?? "" }
    var description: ProducerDescription { ProducerDescription(id: id, peerID: peerID, kind: kind) }
}
