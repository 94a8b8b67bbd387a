import Logging
import RoundhouseMedia

/// A room: its router, its peers, and what they send each other.
///
/// Get one from a `RoomRegistry`. Requests of one connection are to be awaited one after the other. All rules are
/// `RoomState`'s; the actor sends what follows from them to the media plane and the clients.
public actor Room {
    /// The room's name.
    public nonisolated let id: RoomID
    /// What the router can receive.
    public nonisolated let routerCapabilities: RTPCapabilities
    nonisolated let published = PublishedCounts()
    /// When it was made, in milliseconds since 1970.
    nonisolated let openedAt: Int64
    nonisolated let logger: Logger
    let media: MediaHandle
    let inbox: RoomInbox
    let events: EventQueue
    /// Milliseconds since 1970.
    let wallClock: @Sendable () -> Int64
    var state: RoomState
    var collections: [UInt64: StatisticsCollection] = [:]
    var lastToken: UInt64 = 0
    let eventLog: RoomEventLog
    var lastSequence: UInt64 = 0
    /// The newest events, up to twice as many as are shown.
    var recent: [RoomEvent] = []
    /// The active speaker last reported to the peers.
    var announcedSpeaker: PeerID?
    let observation = RoomObservers()
    var audioHeardAt = ContinuousClock.now
    var isListening = false
    private var channels: [PeerSession: any PeerChannel] = [:]
    /// Consumers whose commands the media plane was too busy to take.
    private var retryQueue: [ConsumerID] = []
    private var dataRetryQueue: [DataConsumerID] = []
    private var isRetryScheduled = false
    /// Its end is written down.
    private var isRecorded = false
    private let onClosed: @Sendable (Room) -> Void
    let limits: LimitCounters
    let joinTimes: Histogram?
    private let history: RoomHistory?
    /// The people who came and went.
    var attendance = Attendance()
    var minutes = RoomMinutes()

    init(
        id: RoomID, media: MediaHandle, configuration: RoomConfiguration, routerCapabilities: RTPCapabilities,
        generator: any RandomNumberGenerator & Sendable, limits: LimitCounters = LimitCounters(),
        joinTimes: Histogram? = nil, history: RoomHistory? = nil, logger: Logger,
        eventLog: RoomEventLog = RoomEventLog(),
        wallClock: @escaping @Sendable () -> Int64, onClosed: @escaping @Sendable (Room) -> Void
    ) {
        self.id = id
        self.routerCapabilities = routerCapabilities
        self.media = media
        self.logger = logger
        self.wallClock = wallClock
        openedAt = wallClock()
        self.onClosed = onClosed
        self.limits = limits
        self.joinTimes = joinTimes
        self.history = history
        self.eventLog = eventLog
        let inbox = RoomInbox()
        self.inbox = inbox
        events = EventQueue(wake: { inbox.signal() })
        state = RoomState(
            id: id, configuration: configuration, routerCapabilities: routerCapabilities, generator: generator)
        inbox.attach(self)
    }

    /// Takes a peer's connection. A peer of the same name is closed: the newer wins.
    func connect(
        _ peerID: PeerID, grant: PeerGrant = .everything, consumerReplicas: Int = 0, through channel: any PeerChannel
    ) throws(RoomError) -> PeerSession {
        defer { finishTransition() }
        let former = state.peers[peerID].flatMap { channels[$0.session] }
        let (session, actions) = try limits.counting { () throws(RoomError) in
            try state.peerConnected(
                peerID, grant: grant, consumerReplicas: consumerReplicas, isFormerUnheard: former?.isUnheard ?? false,
                at: wallClock())
        }
        channels[session] = channel
        perform(actions)
        return session
    }

    /// The client's connection is gone: its peer leaves. Ignored for a connection that was replaced.
    public func disconnected(_ session: PeerSession) {
        perform(state.peerLeft(session, .disconnected))
        finishTransition()
    }

    /// The client leaves and keeps its connection; the others are notified. Ignored for a connection that was replaced.
    public func left(_ session: PeerSession) {
        perform(state.peerLeft(session, .left))
        finishTransition()
    }

    /// Sends every peer a notification that is no matter of the room's.
    func announce(_ notification: ServerNotification) {
        for channel in channels.values { channel.notify(notification) }
    }

    /// From here on other limits hold; what is beyond them already stays.
    func limitsChanged(_ configuration: RoomConfiguration) { state.configuration = configuration }

    /// Closes every peer, then the room. Safe to call twice.
    public func close(_ reason: PeerCloseReason = .roomClosed) {
        guard !state.isClosed else { return }
        perform(state.close(reason))
        finishTransition()
    }

    /// Ends what every entry to the room ends with: counts are published, and an empty room closes itself.
    func finishTransition() {
        perform(state.takeUseNotices())
        published.publish(state.counts, isLocked: state.isLocked)
        if state.isEmpty, !state.isClosed { perform(state.close(.roomClosed)) }
        publishEvents()
        guard state.isEmpty else { return }
        retryQueue = []
        dataRetryQueue = []
        finishCollections()
        observation.finish()
        if !isRecorded {
            isRecorded = true
            history?.ended(
                id, openedAt: openedAt, closedAt: wallClock(), attendance, recent, minutes: minutes.minutes)
        }
        onClosed(self)
    }

    /// Carries out what a change of the state asks for, in order.
    func perform(_ actions: [RoomAction]) {
        for action in actions {
            switch action {
            case .notify(let session, let notification):
                channels[session]?.notify(notification)
                observe(notification)
            case .offer(let session, let id, let request):
                channels[session]?.request(.newConsumer(request)) { [inbox] outcome in
                    inbox.consumerAnswered(id, outcome)
                }
            case .closeConnection(let session, let reason): channels.removeValue(forKey: session)?.close(reason)
            case .observed(let event): observation.report(event)
            case .openConsumer(let id): openConsumer(id)
            case .updateConsumer(let id):
                do { try updateConsumer(id) } catch { scheduleRetry(id, error) }
            case .openDataProducer(let opening): openDataProducer(opening)
            case .closeDataChannel(let key, let stream): media.closeDataChannel(key, stream: stream)
            case .openDataConsumer(let id): openDataConsumer(id)
            case .offerData(let session, let id, let request):
                channels[session]?.request(.newDataConsumer(request)) { [inbox] outcome in
                    inbox.dataConsumerAnswered(id, outcome)
                }
            case .releaseDataConsumer(let key):
                // Nothing refuses it but a queue without its reserve.
                do { try media.releaseDataConsumer(key) } catch {
                    logger.warning("a data consumer is held", metadata: ["error": "\(error)"])
                }
            case .listenToData(let id): listenToData(id)
            case .openBot: openBot()
            case .sendData(let key, let message):
                // What the media plane is too busy for is lost, as on any unreliable channel.
                do { try media.sendData(message, of: key) } catch {
                    logger.debug("a data message was lost", metadata: ["error": "\(error)"])
                }
            case .closeDataProducer(let key): media.closeDataProducer(key)
            case .closeDataConsumer(let key): media.closeDataConsumer(key)
            case .closeTransport(let key): media.closeTransport(key)
            case .closeProducer(let key): media.closeProducer(key)
            case .closeConsumer(let key): media.closeConsumer(key)
            }
        }
    }

    private func openConsumer(_ id: ConsumerID) {
        guard let (settings, producer, transport) = state.consumerOpening(id) else { return }
        do {
            let key = try media.openConsumer(settings, of: producer, on: transport)
            perform(state.consumerOpened(id, key))
        } catch {
            scheduleRetry(id, error)
        }
    }

    private func openDataConsumer(_ id: DataConsumerID) {
        let isOffered = !state.isOpenedInBand(id)
        guard let (settings, producer, transport) = state.dataConsumerOpening(id, isOffered: isOffered) else { return }
        do {
            let key = try media.openDataConsumer(settings, of: producer, on: transport)
            perform(state.dataConsumerOpened(id, key))
        } catch {
            if !dataRetryQueue.contains(id) { dataRetryQueue.append(id) }
            logger.debug("media command will be retried", metadata: ["dataConsumer": "\(id)", "error": "\(error)"])
            scheduleRetry()
        }
    }

    /// One that the plane is too busy for is refused, as with signaling: the client's channel is closed.
    private func openDataProducer(_ opening: DataProducerOpening) {
        guard let source = opening.source, let transport = opening.transportKey else { return }
        let settings = DataProducerSettings(stream: source.parameters.streamID, isPaused: opening.isPaused)
        do {
            perform(state.dataProducerOpened(opening, try media.openDataProducer(settings, on: transport)))
        } catch {
            media.closeDataChannel(transport, stream: settings.stream)
            logger.debug("a channel was refused", metadata: ["error": "\(error)"])
        }
    }

    private func listenToData(_ id: DataProducerID) {
        guard let producer = state.data.producers[id], producer.listener == nil else { return }
        do {
            let key = try media.openDirectDataConsumer(
                of: producer.key, largestMessage: SendDataMessageRequest.messageBytes, events: events)
            state.dataListenerOpened(id, key)
        } catch {
            logger.warning(
                "nobody listens to a data producer", metadata: ["dataProducer": "\(id)", "error": "\(error)"])
        }
    }

    private func openBot() {
        guard let opening = state.botOpening() else { return }
        do {
            let key = try media.openDirectDataProducer()
            perform(state.dataProducerOpened(opening, key))
        } catch {
            state.botNotOpened()
            logger.debug("no bot", metadata: ["error": "\(error)"])
        }
    }

    /// Sends the media plane the changes of a consumer that it has not yet taken.
    func updateConsumer(_ id: ConsumerID) throws(MediaError) {
        for update in state.consumerUpdates(id) {
            switch update {
            case .paused(let key, let isPaused): try media.setConsumerPaused(key, isPaused)
            case .producerPaused(let key, let isPaused): try media.setConsumerProducerPaused(key, isPaused)
            case .preferredLayers(let key, let layers): try media.setConsumerPreferredLayers(key, layers)
            case .priority(let key, let priority): try media.setConsumerPriority(key, priority)
            }
            state.consumerUpdated(id, update)
        }
    }

    // MARK: An overloaded media plane

    private func scheduleRetry(_ id: ConsumerID, _ error: MediaError) {
        if !retryQueue.contains(id) { retryQueue.append(id) }
        logger.debug("media command will be retried", metadata: ["consumer": "\(id)", "error": "\(error)"])
        scheduleRetry()
    }

    private func scheduleRetry() {
        guard !isRetryScheduled else { return }
        isRetryScheduled = true
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(20))
            await self?.retryDue()
        }
    }

    private func retryDue() {
        isRetryScheduled = false
        retryQueued()
    }

    /// Sends the media plane what it was too busy for; what is gone meanwhile is left out by the state.
    func retryQueued() {
        guard !retryQueue.isEmpty || !dataRetryQueue.isEmpty else { return }
        let (waiting, waitingData) = (retryQueue, dataRetryQueue)
        retryQueue = []
        dataRetryQueue = []
        perform(waitingData.map { .openDataConsumer($0) })
        for id in waiting { perform([.openConsumer(id), .updateConsumer(id)]) }
        publishEvents()
    }
}

extension RoomError {
    /// The error for a client when the media plane refuses.
    init(_ error: MediaError) {
        switch error.code {
        case .overloaded: self.init(.overloaded, "the server is busy: try again")
        case .streamConflict: self.init(.streamConflict, error.message)
        case .invalidSetting, .notFound, .system, .certificate:
            self.init(.internalError, "the media plane refused the command")
        }
    }
}
