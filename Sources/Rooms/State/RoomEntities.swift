import Media

/// A peer of a room, from its connection on.
struct Peer {
    let session: PeerSession
    /// What it may do, whatever it asks.
    let grant: PeerGrant
    var description: PeerDescription
    var isJoined = false
    /// What it can receive; `nil` before it joined, and after if it wants nothing.
    var rtpCapabilities: RTPCapabilities?
    /// It is notified of producers and makes its consumers itself.
    var consumesOnRequest = false
    /// It stays when its client closes one of its transports.
    var outlivesTransports = false
    /// In the order they were made.
    var transportIDs: [TransportID] = []
    var producerIDs: [ProducerID] = []
    var consumerIDs: [ConsumerID] = []
    /// What it consumes already, or has refused.
    var offeredProducerIDs: Set<ProducerID> = []

    var id: PeerID { session.peerID }

    init(session: PeerSession, grant: PeerGrant = .everything, description: PeerDescription) {
        self.session = session
        self.grant = grant
        self.description = description
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

/// A transport that is open on the media plane.
struct Transport {
    let id: TransportID
    let peerID: PeerID
    let key: TransportKey
    let isConsuming: Bool
    var kind: Kind
    var isConnected = false
    /// The first producer's CNAME is used for all of a transport's producers, so that a receiver can synchronize them.
    var cname: String?
    /// The next consumer's MID.
    var nextMID = 0
    /// SSRCs and MIDs of producers, which must not meet on one transport.
    var producerSSRCs: Set<UInt32> = []
    var producerMIDs: Set<String> = []
    /// RIDs of producers without MID.
    var producerRIDs: Set<String> = []
    var consumerSSRCs: Set<UInt32> = []
    var producerIDs: [ProducerID] = []
    var consumerIDs: [ConsumerID] = []
    /// What is wrong with it, as the media plane noticed it.
    var warnings: [TransportWarning] = []

    /// What differs between transports.
    enum Kind {
        case webRTC(WebRTCTransport)
        case plain(PlainTransport)
    }

    /// `nil` for a transport of another kind, which setting it leaves as it is.
    var webRTC: WebRTCTransport? {
        get { if case .webRTC(let webRTC) = kind { webRTC } else { nil } }
        set { if case .webRTC = kind, let newValue { kind = .webRTC(newValue) } }
    }

    /// `nil` for a transport of another kind, which setting it leaves as it is.
    var plain: PlainTransport? {
        get { if case .plain(let plain) = kind { plain } else { nil } }
        set { if case .plain = kind, let newValue { kind = .plain(newValue) } }
    }

    /// Whether its client passes ICE's checks.
    var isChecked: Bool {
        switch kind {
        case .webRTC(let webRTC): webRTC.iceState == .connected || webRTC.iceState == .completed
        case .plain: false
        }
    }

    /// Whether the peer has a connection by it.
    func isAlive(for peer: PeerID) -> Bool { peerID == peer && isChecked }

    /// Whether its client is, or was, there.
    var hasConnected: Bool {
        switch kind {
        case .webRTC(let webRTC): webRTC.iceState != .new
        case .plain(let plain): plain.tuples.rtp.remoteAddress != nil
        }
    }
}

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
    /// What was sent to the media plane last.
    var sentPaused = true
    var sentProducerPaused = false
    /// What the client asked for, whatever its producer has.
    var preferredLayers: PreferredLayers?
    var sentPreferredLayers: ConsumerLayers?
    var ignoresDTX = false
    /// 1…255.
    var priority = 1
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
