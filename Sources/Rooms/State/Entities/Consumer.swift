import RoundhouseMedia

/// A consumer, before or after the media plane took it.
struct Consumer {
    enum Phase: Hashable {
        /// Not yet on the media plane; the client has not heard of it.
        case opening
        /// Offered to the client, which has not yet accepted.
        case offered(ConsumerKey)
        case accepted(ConsumerKey)
    }

    let id: ConsumerID
    let peerID: PeerID
    /// What it is pointed at.
    var producerID: ProducerID
    let transportID: TransportID
    let kind: MediaKind
    var type: ProducerType
    /// In the router's numbers.
    let parameters: RTPParameters
    /// In the client's own numbers, if it keeps them.
    var clientParameters: RTPParameters?
    var numbering: ConsumerIDMapping?
    let ssrc: UInt32
    var phase = Phase.opening
    /// The client's own pause.
    var isPaused = false
    /// Whether its offer said that the producer was paused.
    var offeredProducerPaused = false
    /// What was sent to the media plane last.
    var sentPaused = true
    var sentProducerPaused = false
    /// What the client asked for, whatever its producer has.
    var preferredLayers: PreferredLayers?
    var sentPreferredLayers: ConsumerLayers?
    var ignoresDTX = false
    /// 1…255.
    var priority = 1
    var sentPriority = 1
    /// The encoding that its producer counts it for.
    var usedEncoding: Int?
    /// What it is being sent.
    var currentLayers: ConsumerLayers?
    /// Of its own stream.
    var ownScore = 10
    /// What its client was notified of last.
    var reportedScore: ConsumerScore?

    var key: ConsumerKey? {
        switch phase {
        case .opening: nil
        case .offered(let key), .accepted(let key): key
        }
    }

    /// What the media plane is to do: nothing is sent before the client has accepted.
    var isSilent: Bool {
        switch phase {
        case .opening, .offered: true
        case .accepted: isPaused
        }
    }

    var mimeType: String { parameters.codecs.first?.mimeType ?? "" }
}
