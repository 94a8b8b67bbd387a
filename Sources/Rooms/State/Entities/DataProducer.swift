import RoundhouseMedia

/// A data producer that is open on the media plane.
struct DataProducer {
    let id: DataProducerID
    /// `nil` for the room's own.
    let peerID: PeerID?
    /// Where its client's messages come from; `nil` for one whose messages come by signaling, or are the room's.
    let source: Source?
    let key: DataProducerKey
    let label: String
    let protocolName: String
    let appData: JSONValue
    var isPaused: Bool
    var consumerIDs: [DataConsumerID] = []
    /// The room's own consumer of it, for those without data channels, or for the bot.
    var listener: DataConsumerKey?

    struct Source {
        let transportID: TransportID
        let parameters: SCTPStreamParameters
    }

    var type: String { source == nil ? "direct" : "sctp" }
    /// Of the demo's bot, which nobody else hears.
    var isForBot: Bool { label == Self.botLabel && peerID != nil }
    var description: DataProducerDescription {
        DataProducerDescription(id: id, peerID: peerID, label: label, protocolName: protocolName)
    }

    /// mediasoup-demo's.
    static let botLabel = "bot"
}
