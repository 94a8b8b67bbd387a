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
    /// The codec that is sent comes first.
    private(set) var consumable: RTPParameters
    let appData: JSONValue
    /// The payload type that is sent, in the router's numbers; `nil` before it is known which of several codecs it is.
    private(set) var sentPayloadType: UInt8?
    var isPaused: Bool
    var consumerIDs: [ConsumerID] = []
    /// `nil` if there are no encodings to choose from.
    var use: EncodingUse?
    /// Of the streams that have been received; empty before the first.
    var scores: [ProducerScore] = []

    init(_ opening: ProducerOpening, key: ProducerKey) {
        id = opening.id
        peerID = opening.peerID
        transportID = opening.transportID
        self.key = key
        kind = opening.kind
        type = opening.type
        mapping = opening.mapping
        consumable = opening.consumable
        appData = opening.appData
        isPaused = opening.settings.isPaused
        if kind == .video, consumable.encodings.count > 1 {
            use = EncodingUse(encodings: consumable.encodings.count)
        }
    }

    /// A different codec is sent from now on.
    /// - Returns: whether that is news.
    mutating func codecChanged(to payloadType: UInt8) -> Bool {
        guard payloadType != sentPayloadType,
            consumable.codecs.contains(where: { $0.payloadType == payloadType && !$0.isRTX })
        else { return false }
        sentPayloadType = payloadType
        let isSent = { (codec: RTPCodecParameters) in
            codec.payloadType == payloadType || codec.apt == Int(payloadType)
        }
        consumable.codecs = consumable.codecs.filter(isSent) + consumable.codecs.filter { !isSent($0) }
        return true
    }

    /// Why an endpoint cannot receive it; `nil` if it can.
    func refusal(by capabilities: RTPCapabilities) -> ORTCError? {
        ORTC.refusal(of: consumable, sent: sentPayloadType, by: capabilities)
    }

    /// What it is of, if its client says so in `appData`: mediasoup's clients call it `source`, as `camera`.
    var source: String? {
        guard case .object(let fields) = appData, case .string(let text)? = fields["source"],
            (1...64).contains(text.utf8.count)
        else { return nil }
        return text
    }

    var mimeType: String { consumable.codecs.first?.mimeType ?? "" }
    var description: ProducerDescription { ProducerDescription(id: id, peerID: peerID, kind: kind) }
}
