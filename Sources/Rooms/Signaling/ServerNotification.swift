public import RoundhouseMedia

/// What a room sends to a client.
public enum ServerNotification: Sendable {
    case mediasoupVersion(String)
    case newPeer(PeerDescription)
    /// The peer has left, and why; the 2024 protocol says only which.
    case peerClosed(PeerID, PeerCloseReason)
    /// Another peer sends something; only for peers that consume on request.
    case newProducers([ProducerDescription])
    case peerDisplayNameChanged(PeerID, displayName: String, oldDisplayName: String)
    /// The peer is not offered another peer's producer, which it could not decode.
    case producerUnsupported(ProducerDescription, reason: String)
    case producerScore(ProducerID, [ProducerScore])
    case consumerScore(ConsumerID, ConsumerScore)
    /// An operator has paused the peer's own producer, or lets it go on.
    case producerPaused(ProducerID)
    case producerResumed(ProducerID)
    /// How many of the peer's own encodings, from the lowest, are of use to anybody; only for peers that ask for it.
    case producerEncodingsUsed(ProducerID, count: Int)
    /// The peer may do something else than before.
    case permissionsChanged(PeerPermissions)
    /// A moderator has locked the room, or unlocked it.
    case roomLockChanged(isLocked: Bool)
    /// An operator's words for everybody in the room, or for one peer.
    case operatorMessage(String)
    case consumerClosed(ConsumerID)
    case consumerPaused(ConsumerID)
    case consumerResumed(ConsumerID)
    /// What is being sent of a consumer; `reason`: why it is no more, where its network is judged.
    case consumerLayersChanged(ConsumerID, spatialLayer: Int?, temporalLayer: Int?, reason: LayerReason? = nil)
    case dataConsumerClosed(DataConsumerID)
    /// What waits for the client has come down to the threshold it has set, in bytes.
    case dataConsumerBufferedAmountLow(DataConsumerID, bufferedAmount: Int)
    /// Messages to a client that has set a threshold are dropped, since too much waits; at most once a second.
    case dataConsumerSendBufferFull(DataConsumerID)
    /// Others send data; only for peers that consume on request.
    case newDataProducers([DataProducerDescription])
    /// Another peer's text, for a client without data channels.
    case dataMessage(PeerID, label: String, message: String)
    case downlinkBwe(desiredBitrate: UInt64, effectiveDesiredBitrate: UInt64, availableBitrate: UInt64)
    /// The peer that speaks, with its volume in dBov (−127…0), or nobody.
    case activeSpeaker(PeerID?, volume: Int?)
    /// Everybody who speaks, loudest first, with volumes in dBov; nobody, once there is silence. Of the 2026 protocol.
    case speakingPeers([PeerVolume])
    /// The server takes nobody any more, and will close its peers after so many seconds.
    case serverDraining(seconds: Int)

    /// The method of mediasoup-demo's 2024 protocol.
    public var method: String {
        switch self {
        case .mediasoupVersion: "mediasoup-version"
        case .newPeer: "newPeer"
        case .peerClosed: "peerClosed"
        case .newProducers: "newProducers"
        case .peerDisplayNameChanged: "peerDisplayNameChanged"
        case .producerUnsupported: "producerUnsupported"
        case .producerScore: "producerScore"
        case .consumerScore: "consumerScore"
        case .producerPaused: "producerPaused"
        case .producerResumed: "producerResumed"
        case .producerEncodingsUsed: "producerEncodingsUsed"
        case .permissionsChanged: "permissionsChanged"
        case .roomLockChanged: "roomLockChanged"
        case .operatorMessage: "operatorMessage"
        case .consumerClosed: "consumerClosed"
        case .consumerPaused: "consumerPaused"
        case .consumerResumed: "consumerResumed"
        case .consumerLayersChanged: "consumerLayersChanged"
        case .dataConsumerClosed: "dataConsumerClosed"
        case .dataConsumerBufferedAmountLow: "dataConsumerBufferedAmountLow"
        case .dataConsumerSendBufferFull: "dataConsumerSendBufferFull"
        case .newDataProducers: "newDataProducers"
        case .dataMessage: "dataMessage"
        case .downlinkBwe: "downlinkBwe"
        case .activeSpeaker: "activeSpeaker"
        case .speakingPeers: "speakingPeers"
        case .serverDraining: "serverDraining"
        }
    }
}

extension ServerNotification: JSONRepresentable {
    /// The notification's data.
    public var json: JSONValue {
        switch self {
        case .mediasoupVersion(let version):
            return .object(["version": .string(version)])
        case .newPeer(let peer):
            return peer.json
        case .peerClosed(let id, _):
            return .object(["peerId": .string(id.rawValue)])
        case .newProducers(let producers):
            return .object(["producers": .array(producers.map(\.json))])
        case .peerDisplayNameChanged(let id, let displayName, let oldDisplayName):
            return .object([
                "peerId": .string(id.rawValue), "displayName": .string(displayName),
                "oldDisplayName": .string(oldDisplayName),
            ])
        case .producerUnsupported(let producer, let reason):
            return .object([
                "producerId": .string(producer.id.rawValue), "peerId": .string(producer.peerID.rawValue),
                "kind": .string(producer.kind.rawValue), "reason": .string(reason),
            ])
        case .producerScore(let id, let scores):
            return .object(["producerId": .string(id.rawValue), "score": .array(scores.map(\.json))])
        case .consumerScore(let id, let score):
            return .object(["consumerId": .string(id.rawValue), "score": score.json])
        case .producerPaused(let id), .producerResumed(let id):
            return .object(["producerId": .string(id.rawValue)])
        case .producerEncodingsUsed(let id, let count):
            return .object(["producerId": .string(id.rawValue), "count": .integer(Int64(count))])
        case .permissionsChanged(let permissions): return .object(["permissions": permissions.json])
        case .roomLockChanged(let isLocked): return .object(["locked": .bool(isLocked)])
        case .operatorMessage(let text): return .object(["text": .string(text)])
        case .consumerClosed(let id), .consumerPaused(let id), .consumerResumed(let id):
            return .object(["consumerId": .string(id.rawValue)])
        case .consumerLayersChanged(let id, let spatialLayer, let temporalLayer, let reason):
            return .fields([
                "consumerId": .string(id.rawValue),
                "spatialLayer": spatialLayer.map { .integer(Int64($0)) } ?? .null,
                "temporalLayer": temporalLayer.map { .integer(Int64($0)) } ?? .null,
                "reason": reason.map { .string("\($0)") },
            ])
        case .dataConsumerClosed(let id), .dataConsumerSendBufferFull(let id):
            return .object(["dataConsumerId": .string(id.rawValue)])
        case .dataConsumerBufferedAmountLow(let id, let amount):
            return .object(["dataConsumerId": .string(id.rawValue), "bufferedAmount": .integer(Int64(amount))])
        case .newDataProducers(let producers):
            return .object(["dataProducers": .array(producers.map(\.json))])
        case .dataMessage(let id, let label, let message):
            return .object([
                "peerId": .string(id.rawValue), "label": .string(label), "message": .string(message),
            ])
        case .downlinkBwe(let desired, let effective, let available):
            return .object([
                "desiredBitrate": .count(desired), "effectiveDesiredBitrate": .count(effective),
                "availableBitrate": .count(available),
            ])
        case .speakingPeers(let volumes): return .object(["peerVolumes": .array(volumes.map(\.json))])
        case .serverDraining(let seconds): return .object(["seconds": .integer(Int64(seconds))])
        case .activeSpeaker(let id, let volume):
            return .fields([
                "peerId": id.map { .string($0.rawValue) } ?? .null, "volume": volume.map { .integer(Int64($0)) },
            ])
        }
    }
}
