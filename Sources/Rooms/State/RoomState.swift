import RoundhouseMedia

/// A room's peers, transports, producers and consumers, and every rule about them.
///
/// No I/O, no clock, no concurrency. What needs the media plane goes in two steps: a method that only checks and says what
/// to open or change (`…Opening`, a key), and after the plane has taken it one that changes the state. A refused step leaves
/// no trace.
struct RoomState {
    let id: RoomID
    /// Its limits may be exchanged; what is beyond them already stays.
    var configuration: RoomConfiguration
    let routerCapabilities: RTPCapabilities
    /// A closed room takes nobody any more.
    private(set) var isClosed = false
    /// A locked room lets in nobody but moderators, and those who come back before they are missed.
    var isLocked = false

    var peers: [PeerID: Peer] = [:]
    var transports: [TransportID: Transport] = [:]
    var transportIDs: [TransportKey: TransportID] = [:]
    var producers: [ProducerID: Producer] = [:]
    var producerIDs: [ProducerKey: ProducerID] = [:]
    var consumers: [ConsumerID: Consumer] = [:]
    /// Consumers that ended before their clients had answered the offer. Clients make a consumer while they answer, and know
    /// it only then: one that was closed meanwhile would stay with them forever.
    var endedUnanswered: [ConsumerID: PeerSession] = [:]
    /// What has happened and was not yet reported.
    var journal: [RoomEvent.Kind] = [.roomOpened]
    var consumerIDs: [ConsumerKey: ConsumerID] = [:]
    var audio = AudioObservers()
    var data = RoomData()
    private var lastSession: UInt64 = 0
    private var generator: any RandomNumberGenerator & Sendable
    /// Every mapped SSRC handed out and still in use.
    private var mappedSSRCs: Set<UInt32> = []
    /// Whose consumers have come, gone or asked for something else since their clients were last notified.
    var producersInOtherUse: Set<ProducerID> = []
    /// What the newest peer that receives can receive.
    private var newestCapabilities: RTPCapabilities?

    init(
        id: RoomID, configuration: RoomConfiguration, routerCapabilities: RTPCapabilities,
        generator: any RandomNumberGenerator & Sendable
    ) {
        self.id = id
        self.configuration = configuration
        self.routerCapabilities = routerCapabilities
        self.generator = generator
    }

    var counts: RoomCounts {
        var counts = RoomCounts()
        counts.peers = peers.count
        counts.transports = transports.count
        counts.producers = producers.count
        counts.consumers = consumers.count
        return counts
    }

    var isEmpty: Bool { peers.isEmpty }

    /// Peers in the order they came.
    var orderedPeers: [Peer] { peers.values.sorted { $0.session.serial < $1.session.serial } }

    func joinedPeers(except id: PeerID) -> [Peer] { orderedPeers.filter { $0.isJoined && $0.id != id } }

    /// The peer of a connection that is still the peer's current one.
    func peer(_ session: PeerSession) throws(RoomError) -> Peer {
        guard !isClosed else { throw RoomError(.roomClosed, "the room is closed: connect again") }
        guard let peer = peers[session.peerID], peer.session == session else {
            throw RoomError(.peerClosed, "the peer has left the room: connect again")
        }
        return peer
    }

    func joinedPeer(_ session: PeerSession) throws(RoomError) -> Peer {
        let peer = try peer(session)
        guard peer.isJoined else { throw RoomError(.peerNotJoined, "Peer not yet joined") }
        return peer
    }

    // MARK: Coming and going

    /// Takes a connection; a peer of the same name leaves first, if the newcomer may take its place.
    /// - Parameters:
    ///   - isFormerUnheard: the client that has the name now has not answered lately.
    ///   - time: the wall clock, in milliseconds since 1970.
    mutating func peerConnected(
        _ id: PeerID, grant: PeerGrant = .everything, consumerReplicas: Int = 0, isFormerUnheard: Bool = false,
        at time: Int64 = 0
    ) throws(RoomError) -> (session: PeerSession, actions: [RoomAction]) {
        guard !isClosed else { throw RoomError(.roomClosed, "the room is closed: connect again") }
        guard !isLocked || peers[id] != nil || grant.permissions.contains(.moderate) else {
            throw RoomError(.roomLocked, "the room is locked: ask somebody in it to unlock it")
        }
        guard peers[id] != nil || peers.count < configuration.maximumPeers else {
            throw RoomError(
                RoomLimit.peersPerRoom, "the room is full: it takes \(configuration.maximumPeers) peers")
        }
        var actions: [RoomAction] = []
        if let older = peers[id] {
            guard grant.claim?.takesPlace(of: older.grant.claim, isUnheard: isFormerUnheard) ?? true else {
                throw RoomError(.forbidden, "this peer is here already: its place is for the token it came with")
            }
            actions += peerLeft(older.session, .replaced)
        }
        lastSession += 1
        let session = PeerSession(peerID: id, serial: lastSession)
        peers[id] = Peer(
            session: session, grant: grant, consumerReplicas: consumerReplicas,
            description: PeerDescription(id: id, displayName: "", device: DeviceDescription()), connectedAt: time)
        journal.append(.peerConnected(id))
        actions.append(.notify(session, .mediasoupVersion(configuration.announcedVersion)))
        return (session, actions)
    }

    /// Removes a peer with all it has, and notifies the others. Nothing happens for a connection that was replaced.
    mutating func peerLeft(_ session: PeerSession, _ reason: PeerCloseReason) -> [RoomAction] {
        guard let peer = peers[session.peerID], peer.session == session else { return [] }
        peers[peer.id] = nil
        var actions: [RoomAction] = []
        if peer.isJoined {
            actions += joinedPeers(except: peer.id).map { .notify($0.session, .peerClosed(peer.id, reason)) }
        }
        for id in peer.producerIDs { actions += producerClosed(id, withTransport: true) }
        for id in peer.consumerIDs { removeConsumer(id) }
        for id in peer.dataProducerIDs { actions += dataProducerClosed(id, withTransport: true) }
        for id in peer.dataConsumerIDs { removeDataConsumer(id) }
        for id in peer.transportIDs {
            guard let transport = transports.removeValue(forKey: id) else { continue }
            transportIDs[transport.key] = nil
            journal.append(.transportClosed(id, peer: peer.id))
            actions.append(.closeTransport(transport.key))
        }
        journal.append(.peerLeft(peer.id, reason))
        actions.append(.closeConnection(session, reason))
        return actions
    }

    /// Every peer leaves, and nobody comes any more.
    mutating func close(_ reason: PeerCloseReason) -> [RoomAction] {
        isClosed = true
        var actions: [RoomAction] = []
        for peer in orderedPeers {
            // The others are about to go too: there is nobody to notify.
            peers[peer.id]?.isJoined = false
        }
        for peer in orderedPeers { actions += peerLeft(peer.session, reason) }
        if let bot = data.botID { actions += dataProducerClosed(bot) }
        journal.append(.roomClosed(reason))
        return actions
    }

    mutating func join(
        _ request: JoinRequest, from session: PeerSession, at time: Int64 = 0
    ) throws(RoomError) -> (answer: JoinAnswer, actions: [RoomAction]) {
        var peer = try peer(session)
        guard !peer.isJoined else { throw RoomError(.peerAlreadyJoined, "Peer already joined") }
        peer.isJoined = true
        peer.joinedAt = time
        peer.description.displayName = peer.grant.displayName ?? request.displayName
        peer.description.device = request.device
        // Most clients of a room are the same program: what says the same is kept once.
        if let capabilities = request.rtpCapabilities, capabilities == newestCapabilities {
            peer.rtpCapabilities = newestCapabilities
        } else {
            peer.rtpCapabilities = request.rtpCapabilities
            newestCapabilities = request.rtpCapabilities ?? newestCapabilities
        }
        peer.consumesOnRequest = request.consumesOnRequest
        peer.outlivesTransports = request.outlivesTransports
        peer.receivesData = request.receivesData
        peer.wantsBot = request.wantsBot
        peer.getsDataBySignaling = request.getsDataBySignaling
        peer.getsEncodingUse = request.getsEncodingUse
        peers[peer.id] = peer
        journal.append(.peerJoined(peer.description))
        let others = joinedPeers(except: peer.id)
        var actions = consumeEverything(peer.id)
        actions += consumeAllData(peer.id)
        actions += others.map { .notify($0.session, .newPeer(peer.description)) }
        let answer = JoinAnswer(
            peers: others.map(\.description), displayName: peer.description.displayName,
            permissions: peer.grant.permissions, isRoomLocked: isLocked)
        return (answer, actions)
    }

    mutating func changeDisplayName(_ name: String, from session: PeerSession) throws(RoomError) -> [RoomAction] {
        let peer = try joinedPeer(session)
        guard peer.grant.displayName == nil else {
            throw RoomError(.forbidden, "your token gives you your name: it cannot be changed")
        }
        let old = peer.description.displayName
        peers[peer.id]?.description.displayName = name
        journal.append(.peerRenamed(peer.id, displayName: name))
        return joinedPeers(except: peer.id).map {
            .notify($0.session, .peerDisplayNameChanged(peer.id, displayName: name, oldDisplayName: old))
        }
    }

    // MARK: Randomness

    mutating func randomCredentials() -> ICECredentials { ICECredentials.random(using: &generator) }

    mutating func randomByte() -> UInt8 { UInt8.random(in: 0...255, using: &generator) }

    /// A version 4 UUID (RFC 9562 §5.4).
    mutating func randomIdentifier() -> String {
        var bytes: [UInt8] = []
        for _ in 0..<16 { bytes.append(randomByte()) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append("-") }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }

    mutating func randomCNAME() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    /// The first of `count` SSRCs in a row that are not in `taken`.
    mutating func randomSSRC(count: Int, avoiding taken: Set<UInt32>) -> UInt32 {
        while true {
            let first = UInt32.random(in: 100_000_000...999_999_000, using: &generator)
            let last = first + UInt32(truncatingIfNeeded: count)
            if !(first..<last).contains(where: taken.contains) { return first }
        }
    }

    mutating func randomMappedSSRC(count: Int) -> UInt32 { randomSSRC(count: count, avoiding: mappedSSRCs) }

    mutating func mappedSSRCsTaken(_ mapping: ProducerMapping) {
        for encoding in mapping.encodings { mappedSSRCs.insert(encoding.mappedSSRC) }
    }

    mutating func mappedSSRCsReleased(_ mapping: ProducerMapping) {
        for encoding in mapping.encodings { mappedSSRCs.remove(encoding.mappedSSRC) }
    }
}
