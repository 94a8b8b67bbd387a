/// A room's door to the media plane: makes keys, routes commands to the shards that own them, never blocks.
///
/// Sendable and free of actors: every method returns at once, and what comes of it arrives on the `EventQueue`.
public struct MediaHandle: Sendable {
    /// Enqueues a command on a shard; `false` when the shard's bounded queue is full.
    typealias Sink = @Sendable (_ shard: Int, _ command: MediaCommand) -> Bool
    /// Opens the sockets of a plain transport.
    typealias SocketOpener = @Sendable (_ usesRTCPMux: Bool) throws(MediaError) -> PlainSockets

    /// What clients have to know to reach each shard; the index is the shard.
    public var endpoints: [ShardEndpoint] { table.current }
    /// The fingerprints of the server's certificate, one per hash.
    public let fingerprints: [DTLSFingerprint]
    private let table: EndpointTable
    private let sink: Sink
    private let serial: KeySerial
    /// Whether checks have to name their shard.
    private let sharesPort: Bool
    private var room = RoomNumber.none
    private let openSockets: SocketOpener?
    /// For the TURN server; `nil` without a plane.
    package let relay: MediaRelay?
    private let destinations: @Sendable (_ requester: IPAddressPort?) -> PlainDestinations

    /// - Parameters:
    ///   - openSockets: `nil` where there are no plain transports.
    ///   - destinations: where a plain transport may send RTP that is asked for from an address.
    ///   - sharesPort: whether one port leads to all shards.
    init(
        endpoints: EndpointTable, fingerprints: [DTLSFingerprint], serial: KeySerial,
        openSockets: SocketOpener? = nil,
        destinations: @escaping @Sendable (_ requester: IPAddressPort?) -> PlainDestinations = {
            PlainDestinations(ranges: [], requester: $0)
        },
        relay: MediaRelay? = nil, sharesPort: Bool = false,
        sink: @escaping Sink
    ) {
        self.sharesPort = sharesPort
        table = endpoints
        self.fingerprints = fingerprints
        self.serial = serial
        self.openSockets = openSockets
        self.destinations = destinations
        self.relay = relay
        self.sink = sink
    }

    /// A handle without a plane behind it, for tests of rooms: every command goes to `sink`.
    /// - Parameter plainDestinations: where plain transports may send.
    package static func recording(
        shards: Int = 1, plainDestinations: [String] = ["0.0.0.0/0", "::/0"],
        sink: @escaping @Sendable (_ shard: Int, _ command: MediaCommand) -> Bool
    ) -> MediaHandle {
        let endpoints = (0..<shards).map { shard in
            ShardEndpoint(addresses: [
                CandidateAddress(address: "127.0.0.1", port: UInt16(40000 + shard), transport: .udp)
            ])
        }
        let fingerprint = DTLSFingerprint(algorithm: .sha256, value: [UInt8](repeating: 0xAB, count: 32))
        let openSockets = PlainSockets.simulated(address: IPAddressPort(ipv4: 0x7F00_0001, port: 0), from: 20_000)
        return MediaHandle(
            endpoints: EndpointTable(endpoints), fingerprints: [fingerprint], serial: KeySerial(shards: shards),
            openSockets: openSockets,
            destinations: { requester in
                PlainDestinations(ranges: plainDestinations.compactMap(IPAddressRange.init), requester: requester)
            },
            sink: sink)
    }

    /// A handle for one room, whose transports are placed with a view to each other.
    public func forRoom() -> MediaHandle {
        var handle = self
        handle.room = RoomNumber(value: serial.next())
        return handle
    }

    /// Opens a transport on the shard that has least to do of what this one is for.
    public func openTransport(_ settings: TransportSettings, events: EventQueue) throws(MediaError) -> TransportKey {
        try place(settings.use) { key in
            var settings = settings
            settings.iceCredentials = credentials(settings.iceCredentials, of: key)
            return .openTransport(key, settings, events)
        }
    }

    /// What a transport's client is to be given of the credentials that `openTransport` or `restartICE` got.
    public func credentials(_ credentials: ICECredentials, of key: TransportKey) -> ICECredentials {
        sharesPort ? credentials.naming(shard: key.shard) : credentials
    }

    private func place(
        _ use: TransportUse, _ command: (TransportKey) -> MediaCommand
    ) throws(MediaError) -> TransportKey {
        let key = serial.place(use, in: room)
        do {
            try send(command(key), to: key.shard)
        } catch {
            serial.closed(key)
            throw error
        }
        return key
    }

    /// Tells the transport the server's DTLS role and the client's certificate.
    public func connectTransport(
        _ key: TransportKey, role: DTLSRole, remoteFingerprint: DTLSFingerprint
    ) throws(MediaError) {
        try send(.connectTransport(key, role: role, remoteFingerprint: remoteFingerprint), to: key.shard)
    }

    /// Whether there are plain transports at all.
    public var hasPlainTransports: Bool { openSockets != nil }

    /// Where a plain transport may send RTP.
    /// - Parameter requester: the IP address of the client that asks for the transport; `nil` where it is not known.
    public func plainDestinations(for requester: String?) -> PlainDestinations {
        destinations(requester.flatMap { IPAddressPort(text: $0, port: 0) })
    }

    /// Opens a transport without ICE and DTLS on sockets of its own, on the shard that has least to do.
    /// - Returns: also where the client reaches it.
    /// - Throws: `overloaded` where no port is free, `invalidSetting` where `hasPlainTransports` is false.
    public func openPlainTransport(
        _ settings: PlainTransportSettings, events: EventQueue
    ) throws(MediaError) -> (key: TransportKey, endpoint: PlainEndpoint) {
        guard let openSockets else { throw MediaError(.invalidSetting, "this server has no plain transports") }
        let sockets = try openSockets(settings.usesRTCPMux)
        let key = try place(.unknown) { .openPlainTransport($0, settings, sockets, events) }
        return (key, sockets.endpoint)
    }

    /// Tells a plain transport where its client is, and the client's key.
    public func connectPlainTransport(_ key: TransportKey, to remote: PlainRemote) throws(MediaError) {
        try send(.connectPlainTransport(key, remote), to: key.shard)
    }

    /// Gives the transport new credentials; its address stays until a check with them arrives.
    public func restartICE(_ key: TransportKey, credentials: ICECredentials) throws(MediaError) {
        try send(.restartICE(key, self.credentials(credentials, of: key)), to: key.shard)
    }

    /// Closes a transport with its producers and consumers. Call it once per opened transport.
    public func closeTransport(_ key: TransportKey) {
        serial.closed(key)
        sendClosing(.closeTransport(key), to: key.shard)
    }

    /// Opens a producer on a transport, and on its shard.
    public func openProducer(_ settings: ProducerSettings, on transport: TransportKey) throws(MediaError) -> ProducerKey
    {
        let key = serial.producer(on: transport)
        do {
            try send(.openProducer(key, on: transport, settings), to: key.shard)
        } catch {
            serial.closed(key)
            throw error
        }
        return key
    }

    /// Pauses or resumes a producer.
    public func setProducerPaused(_ key: ProducerKey, _ isPaused: Bool) throws(MediaError) {
        try send(.setProducerPaused(key, isPaused), to: key.shard)
    }

    /// Closes a producer; its consumers get nothing more.
    public func closeProducer(_ key: ProducerKey) {
        serial.closed(key)
        sendClosing(.closeProducer(key), to: key.shard)
    }

    /// Opens a consumer of a producer on a transport, and on its shard.
    public func openConsumer(
        _ settings: ConsumerSettings, of producer: ProducerKey, on transport: TransportKey
    ) throws(MediaError) -> ConsumerKey {
        let key = serial.consumer(on: transport)
        do {
            try send(.openConsumer(key, on: transport, of: producer, settings), to: key.shard)
        } catch {
            serial.closed(key)
            throw error
        }
        return key
    }

    /// Pauses or resumes a consumer for itself.
    public func setConsumerPaused(_ key: ConsumerKey, _ isPaused: Bool) throws(MediaError) {
        try send(.setConsumerPaused(key, isPaused), to: key.shard)
    }

    /// Tells a consumer's shard that its producer was paused or resumed.
    public func setConsumerProducerPaused(_ key: ConsumerKey, _ isPaused: Bool) throws(MediaError) {
        try send(.setConsumerProducerPaused(key, isPaused), to: key.shard)
    }

    /// Asks the producer of a consumer for a key frame.
    public func requestKeyFrame(_ key: ConsumerKey) throws(MediaError) {
        try send(.requestKeyFrame(key), to: key.shard)
    }

    /// Says which layers a consumer gets at most.
    public func setConsumerPreferredLayers(_ key: ConsumerKey, _ layers: ConsumerLayers) throws(MediaError) {
        try send(.setConsumerPreferredLayers(key, layers), to: key.shard)
    }

    /// Says how important a consumer is among the others of its transport, where not all layers fit.
    /// - Parameter priority: 1…255; twice as much is worth twice as much.
    public func setConsumerPriority(_ key: ConsumerKey, _ priority: UInt8) throws(MediaError) {
        try send(.setConsumerPriority(key, priority), to: key.shard)
    }

    /// Points a consumer at another producer of the same kind and codec: no negotiation, numbers and timestamps go on.
    public func switchProducer(of key: ConsumerKey, to producer: ProducerKey, _ source: SourceSettings)
        throws(MediaError)
    {
        try send(.switchProducer(key, to: producer, source), to: key.shard)
    }

    /// Says which of a producer's packets become `MediaEvent.trace`.
    public func traceProducer(_ key: ProducerKey, _ kinds: TraceKinds) throws(MediaError) {
        try send(.traceProducer(key, kinds), to: key.shard)
    }

    /// Says which of a consumer's packets become `MediaEvent.trace`.
    public func traceConsumer(_ key: ConsumerKey, _ kinds: TraceKinds) throws(MediaError) {
        try send(.traceConsumer(key, kinds), to: key.shard)
    }

    /// Says what bounds the estimate of a client's network, and how much the client should send.
    /// - Parameters:
    ///   - limits: of what it is sent; those of a transport that was opened without any stay unused.
    ///   - incoming: in bits per second; `nil`: as much as its network carries. Clients that know REMB keep to it.
    public func setBitrateLimits(
        of key: TransportKey, _ limits: BitrateLimits?, incoming: UInt64?
    ) throws(MediaError) {
        try send(.setBitrateLimits(key, limits, incoming: incoming), to: key.shard)
    }

    /// Begins to write down what goes into a transport's bandwidth machines, for a replay, or ends it. Statistics say whether
    /// it does: a shard does so for `recordingLimit` transports at a time, and only if the client's network is watched.
    public func recordBandwidth(of key: TransportKey, _ isOn: Bool) throws(MediaError) {
        try send(.recordBandwidth(key, isOn), to: key.shard)
    }

    /// Recordings that each media thread makes at a time; each has 8 MiB at most.
    public static let recordingLimit = 8

    /// Closes a consumer.
    public func closeConsumer(_ key: ConsumerKey) {
        serial.closed(key)
        sendClosing(.closeConsumer(key), to: key.shard)
    }

    // MARK: Data

    /// Opens a data producer on a transport, and on its shard.
    public func openDataProducer(
        _ settings: DataProducerSettings, on transport: TransportKey
    ) throws(MediaError) -> DataProducerKey {
        let key = DataProducerKey(rawValue: serial.data(on: transport.shard))
        try send(.openDataProducer(key, on: transport, settings), to: key.shard)
        return key
    }

    /// Opens a data producer whose messages `sendData(_:of:)` gives it.
    public func openDirectDataProducer() throws(MediaError) -> DataProducerKey {
        let key = DataProducerKey(rawValue: serial.data(on: serial.anyShard(of: endpoints.count)))
        try send(.openDirectDataProducer(key), to: key.shard)
        return key
    }

    /// Pauses or resumes a data producer: what it sends meanwhile is thrown away.
    public func setDataProducerPaused(_ key: DataProducerKey, _ isPaused: Bool) throws(MediaError) {
        try send(.setDataProducerPaused(key, isPaused), to: key.shard)
    }

    /// Closes a data producer and the client's channel; its consumers get nothing more.
    public func closeDataProducer(_ key: DataProducerKey) { sendClosing(.closeDataProducer(key), to: key.shard) }

    /// Opens a consumer of a data producer on a transport, and on its shard.
    public func openDataConsumer(
        _ settings: DataConsumerSettings, of producer: DataProducerKey, on transport: TransportKey
    ) throws(MediaError) -> DataConsumerKey {
        let key = DataConsumerKey(rawValue: serial.data(on: transport.shard))
        try send(.openDataConsumer(key, on: transport, of: producer, settings), to: key.shard)
        return key
    }

    /// Opens a data consumer whose messages arrive on `events`. Those that are longer, or for which there is no place, are
    /// dropped.
    public func openDirectDataConsumer(
        of producer: DataProducerKey, largestMessage: Int, events: EventQueue
    ) throws(MediaError) -> DataConsumerKey {
        let key = DataConsumerKey(rawValue: serial.data(on: producer.shard))
        try send(
            .openDirectDataConsumer(key, of: producer, largestMessage: largestMessage, events), to: key.shard)
        return key
    }

    /// Says that a data consumer's client has its channel, so that what waited is sent.
    public func releaseDataConsumer(_ key: DataConsumerKey) throws(MediaError) {
        try send(.releaseDataConsumer(key), to: key.shard)
    }

    /// Pauses or resumes a data consumer: it misses what comes meanwhile.
    public func setDataConsumerPaused(_ key: DataConsumerKey, _ isPaused: Bool) throws(MediaError) {
        try send(.setDataConsumerPaused(key, isPaused), to: key.shard)
    }

    /// Says what a data consumer is interested in.
    public func setDataConsumerSubchannels(_ key: DataConsumerKey, _ subchannels: [UInt16]) throws(MediaError) {
        try send(.setDataConsumerSubchannels(key, subchannels), to: key.shard)
    }

    /// Asks for `DataEvent.bufferedAmountLow` whenever what waits comes down to so many bytes, and at once if it is so few.
    public func setBufferedAmountLowThreshold(_ key: DataConsumerKey, _ bytes: UInt32) throws(MediaError) {
        try send(.setBufferedAmountLowThreshold(key, bytes), to: key.shard)
    }

    /// Closes a data consumer and the client's channel.
    public func closeDataConsumer(_ key: DataConsumerKey) { sendClosing(.closeDataConsumer(key), to: key.shard) }

    /// Closes a channel that a client has opened in band, and that is to have no data producer.
    public func closeDataChannel(_ transport: TransportKey, stream: UInt16) {
        sendClosing(.closeDataChannel(transport, stream: stream), to: transport.shard)
    }

    /// Sends a direct data producer's message.
    public func sendData(_ message: DataMessage, of key: DataProducerKey) throws(MediaError) {
        try send(.sendData(key, message), to: key.shard)
    }

    /// Sends a message to one data consumer alone.
    public func sendData(_ message: DataMessage, to key: DataConsumerKey) throws(MediaError) {
        try send(.sendDataToConsumer(key, message), to: key.shard)
    }

    /// Asks every shard that owns one of `keys` for their statistics.
    /// - Parameter detail: what they shall hold beside counters.
    /// - Returns: how many `MediaEvent.statistics` with this token will arrive.
    public func collectStatistics(
        token: UInt64, of keys: [TransportKey], _ detail: StatisticsDetail = [], events: EventQueue
    ) throws(MediaError) -> Int {
        var byShard: [Int: [TransportKey]] = [:]
        for key in keys { byShard[key.shard, default: []].append(key) }
        for (shard, keys) in byShard {
            try send(.collectStatistics(token: token, keys, detail, events), to: shard)
        }
        return byShard.count
    }

    private func send(_ command: MediaCommand, to shard: Int) throws(MediaError) {
        guard sink(shard, command) else { throw MediaError(.overloaded, "the media thread's command queue is full") }
    }

    /// Closing commands must not be lost: the queue keeps a reserve for them.
    private func sendClosing(_ command: MediaCommand, to shard: Int) { _ = sink(shard, command) }
}
