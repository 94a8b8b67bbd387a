/// A peer of a room, from its connection on.
struct Peer {
    let session: PeerSession
    /// What it may do, whatever it asks.
    var grant: PeerGrant
    var description: PeerDescription
    var isJoined = false
    /// Milliseconds since 1970.
    let connectedAt: Int64
    var joinedAt: Int64?
    /// One of its transports was connected.
    var hadMedia = false
    /// What it can receive; `nil` before it joined, and after if it wants nothing.
    var rtpCapabilities: RTPCapabilities?
    /// How many consumers more than one it gets of each producer: mediasoup-demo's way to try a server with few people.
    let consumerReplicas: Int
    /// It is notified of producers and makes its consumers itself.
    var consumesOnRequest = false
    /// It stays when its client closes one of its transports.
    var outlivesTransports = false
    /// In the order they were made.
    var transportIDs: [TransportID] = []
    var producerIDs: [ProducerID] = []
    var consumerIDs: [ConsumerID] = []
    var dataProducerIDs: [DataProducerID] = []
    var dataConsumerIDs: [DataConsumerID] = []
    /// Whether it is offered data producers, and the bot.
    var receivesData = false
    var wantsBot = false
    /// It has no data channels, and is notified of what others send by them.
    var getsDataBySignaling = false
    /// It is notified of how many of its encodings are of use to somebody.
    var getsEncodingUse = false
    /// What it is sent although it has not joined, by channels that are opened in band.
    var watchedData: WatchedData?
    var offeredDataProducerIDs: Set<DataProducerID> = []
    /// What it consumes already, or has refused.
    var offeredProducerIDs: Set<ProducerID> = []
    /// What it is not offered because it could not decode it, and why.
    var unsupportedProducers: [ProducerID: String] = [:]

    var id: PeerID { session.peerID }

    init(
        session: PeerSession, grant: PeerGrant = .everything, consumerReplicas: Int = 0, description: PeerDescription,
        connectedAt: Int64 = 0
    ) {
        self.session = session
        self.grant = grant
        self.consumerReplicas = consumerReplicas
        self.description = description
        self.connectedAt = connectedAt
    }

    func may(_ permission: PeerPermissions) -> Bool { grant.permissions.isSuperset(of: permission) }

    /// - Throws: `RoomError` with code `forbidden`.
    func require(_ permission: PeerPermissions) throws(RoomError) {
        guard !may(permission) else { return }
        let what =
            switch permission {
            case .publish: "publish"
            case .subscribe: "subscribe"
            case .data: "send data"
            default: "do this"
            }
        throw RoomError(.forbidden, "your token does not permit you to \(what) in this room")
    }
}
