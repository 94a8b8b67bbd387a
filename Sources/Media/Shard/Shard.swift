/// One media thread's state: its transports, streams and consumers, and all that happens to them.
///
/// A deterministic function of what it is given: datagrams, commands, records from other shards, and the time of each
/// tick. It knows no socket, no clock and no thread, so a test drives it in virtual time; `ShardThread` drives it with the
/// kernel's. A tick is: `beginTick`, any number of inputs, `endTick`.
// Safe: `scratch`, `nackNumbers`, `frameScratch` and `stagingSpace` are allocated in `init` and freed in `deinit`.
@safe struct Shard: ~Copyable {
    /// A place a client's packets come from.
    struct Tuple {
        var key: TupleTable.Key
        var transport: Slot<MediaTransport>
    }

    /// The most sockets that all transports share. One bit for each in `EpollLoop.wait`.
    static let mostSockets = 32

    let index: Int
    let certificate: DTLSCertificate
    /// Published addresses of the sockets, for the tuples in events: more come with the machine's addresses.
    var localAddresses: [IPAddressPort]
    let output: any DatagramOutput
    let counters: Counters
    let links: ShardLinks
    /// What a producer, and a transport with all its producers, may send.
    let (producerRate, transportRate): (IngressRate, IngressRate)

    var now: MediaInstant
    /// The wall clock at `now`.
    var wallClock = NTPTimestamp(rawValue: 0)
    /// The tick's time as abs-send-time has it: 24 bits of 6.18 fixed-point seconds.
    private(set) var absSendTime: UInt32 = 0
    var lastFlush: MediaInstant
    var random: SplitMix
    var arena: EgressBatcher
    var timers: TimerWheel

    /// Everything a shard has, by slots. A transport's index is its timer's, too.
    var transports = SlotMap<MediaTransport>()
    var webRTCAssociations = SlotMap<WebRTCAssociation>()
    var plainAssociations = SlotMap<PlainAssociation>()
    var producers = SlotMap<ShardProducer>()
    var streams = SlotMap<IncomingStream>()
    var feeds = SlotMap<ProducerFeed>()
    var consumers = SlotMap<ShardConsumer>()
    var bandwidths = SlotMap<TransportBandwidth>()
    var incomings = SlotMap<IncomingBandwidth>()
    var data = ShardData()
    var transportsByKey: [UInt64: Slot<MediaTransport>] = [:]
    var transportsByUsernameFragment: [String: Slot<MediaTransport>] = [:]
    var tuples: [Tuple?] = []
    var freeTuples: [Int] = []
    var tupleNumbers: TupleTable
    /// Those of other shards whose clients come to this one's sockets.
    var otherTuples: OtherShardsTuples
    /// The shard whose socket got the datagram that is being taken. Not in snapshots: there is none between ticks.
    var forwardedBy: Int?
    /// The transports of sockets of their own: the first of them has number `mostSockets`.
    var plainBindings: [PlainBinding?] = []
    var connections = TCPConnections()
    var producersByKey: [UInt64: Slot<ShardProducer>] = [:]
    var consumersByKey: [UInt64: Slot<ShardConsumer>] = [:]
    var feedsByKey: [UInt64: Slot<ProducerFeed>] = [:]
    /// Consumers whose layers are chosen, and when they are next looked at.
    var selecting: [Slot<ShardConsumer>] = []
    var nextSelection: MediaInstant?
    /// Consumers that catch up, and when they get more although nothing arrives.
    var catchingUp: [Slot<ShardConsumer>] = []
    var nextCatchUp: MediaInstant?
    /// Consumers that wait for a key frame, and when they ask again although nothing arrives.
    var wishing: [Slot<ShardConsumer>] = []
    var nextWish: MediaInstant?
    /// When feeds are looked at for memory that nobody needs; `nil` while none has any. Not in snapshots: the next packet
    /// that is kept sets it.
    var nextSweep: MediaInstant?
    /// Transports with audio levels that have not been reported to their rooms, and when they will be.
    var withAudioLevels: [Slot<MediaTransport>] = []
    var audioLevelDeadline: MediaInstant?
    /// Transports whose deadlines may have moved in this tick.
    var dirtyTimers: [Slot<MediaTransport>] = []
    /// Empty between two uses; keeps its memory.
    var ladders: [LayerLadder] = []
    /// The same.
    var dueSenderReports: [DueSenderReport] = []
    /// Scratch: a header template, then a payload behind it where both must be contiguous.
    let scratch: UnsafeMutableRawBufferPointer
    let nackNumbers: UnsafeMutableBufferPointer<UInt16>
    /// For a packet that came by a connection in pieces, and for what a connection is given.
    let (frameScratch, stagingSpace): (UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer)

    init(
        index: Int, certificate: DTLSCertificate, localAddresses: [IPAddressPort], output: any DatagramOutput,
        canSegment: Bool, counters: Counters, links: ShardLinks, seed: UInt64, secret: HashSecret,
        limits: IngressLimits, now: MediaInstant
    ) {
        self.index = index
        tupleNumbers = TupleTable(secret: secret)
        otherTuples = OtherShardsTuples(secret: secret)
        producerRate = IngressRate(megabits: limits.megabitsPerProducer)
        transportRate = IngressRate(megabits: limits.megabitsPerTransport)
        self.certificate = certificate
        self.localAddresses = localAddresses
        self.output = output
        self.counters = counters
        self.links = links
        self.now = now
        // Long ago.
        lastFlush = MediaInstant(nanoseconds: 0)
        random = SplitMix(seed: seed)
        arena = EgressBatcher(segments: canSegment)
        timers = TimerWheel(now: now)
        unsafe scratch = .allocate(byteCount: 4096, alignment: 64)
        unsafe nackNumbers = .allocate(capacity: 1024)
        unsafe frameScratch = .allocate(byteCount: TCPFrameReader.longest, alignment: 64)
        unsafe stagingSpace = .allocate(byteCount: Self.stagingBytes, alignment: 64)
    }

    deinit {
        unsafe scratch.deallocate()
        unsafe nackNumbers.deallocate()
        unsafe frameScratch.deallocate()
        unsafe stagingSpace.deallocate()
    }

    /// Sets the time of everything until `endTick`.
    mutating func beginTick(at now: MediaInstant, wallClock: NTPTimestamp) {
        self.now = now
        self.wallClock = wallClock
        let (seconds, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        absSendTime = UInt32(truncatingIfNeeded: seconds << 18 | (rest << 18) / 1_000_000_000) & 0xFF_FFFF
    }

    /// Runs what is due, sends what was queued unless it just did, and publishes what goes to other shards.
    mutating func endTick() {
        lookAfterConnections()
        while let index = timers.popExpired(at: now) {
            if let transport = transports.slot(at: index) { deadlineReached(transport) }
        }
        if let due = nextSelection, due <= now { updateSelections() }
        if let due = nextCatchUp, due <= now { sendCachedGOPs() }
        if let due = nextWish, due <= now { renewWishes() }
        if let due = nextSweep, due <= now { sweepFeeds() }
        if let audioLevelDeadline, audioLevelDeadline <= now { sendAudioLevels() }
        sendData()
        for transport in dirtyTimers where transports.contains(transport) {
            let index = Int(transport.index)
            if let deadline = nextDeadline(of: transport) {
                timers.schedule(index, at: deadline)
            } else {
                timers.cancel(index)
            }
        }
        dirtyTimers.removeAll(keepingCapacity: true)
        if hasUnsent, now - lastFlush >= Self.flushInterval { flush() }
        links.publish()
    }

    /// When `endTick` has something to do by itself.
    func nextDeadline() -> MediaInstant? {
        if !data.pending.isEmpty || !connections.noted.isEmpty { return now }
        return earliest(
            earliest(earliest(timers.nextDeadline(), audioLevelDeadline), earliest(nextSelection, nextCatchUp)),
            earliest(
                earliest(nextWish, earliest(nextSweep, connections.nextDeadline)),
                hasUnsent ? lastFlush + Self.flushInterval : nil))
    }

    /// Notes that a transport's deadlines may have moved.
    mutating func rescheduleTimer(of transport: Slot<MediaTransport>) {
        if dirtyTimers.last != transport { dirtyTimers.append(transport) }
    }

    /// Two flushes are at least this far apart: a lone packet leaves at once, and under load what a destination gets
    /// within a millisecond, from however many publishers, leaves in few messages.
    static let flushInterval = MediaDuration.milliseconds(1)
    /// A flush of fewer is an answer or a report, and makes no packet wait.
    static let fewMessages = 8

    /// Whether anything waits for the next flush.
    private var hasUnsent: Bool { !arena.isEmpty || !connections.unsent.isEmpty }

    /// Sends what is queued.
    mutating func flush() {
        let outcome = arena.flush(through: output, sockets: localAddresses.count)
        let writes = connections.unsent.isEmpty ? 0 : flushConnections()
        if outcome.messages + writes >= Self.fewMessages { lastFlush = now }
        counters.add(.messagesSent, UInt64(outcome.messages))
        if outcome.aboveMTU > 0 { counters.add(.datagramsAboveMTU, UInt64(outcome.aboveMTU)) }
        if outcome.refused > 0 { counters.add(.sendRefused, UInt64(outcome.refused)) }
    }

    /// Makes sure that the arena takes one more datagram.
    mutating func ensureCapacity() {
        if !arena.hasCapacity { flush() }
    }

    /// Queues the datagram written at `arena.next` for the transport's client.
    mutating func commit(length: Int, to transport: Slot<MediaTransport>, stream: UInt32 = 0) {
        if !arena.isCurrent(transports[transport].destination) {
            switch transports[transport].route {
            case .none: return
            case .udp(let socket, let remote):
                transports[transport].destination = arena.addDestination(remote, socket: socket)
            case .tcp(let connection, _):
                return commitFrame(length: length, to: transport, on: connection, stream: stream)
            }
        }
        arena.commit(length: length, to: transports[transport].destination, stream: stream)
        transports[transport].packetsSent &+= 1
        transports[transport].traffic.sent &+= UInt64(length)
        countSent(length)
    }

    /// The same for a compound RTCP packet, which a plain transport may send by another way.
    mutating func commitRTCP(length: Int, to transport: Slot<MediaTransport>) {
        guard case .plain(let plain) = transports[transport].association, !plainAssociations[plain].usesRTCPMux else {
            return commit(length: length, to: transport)
        }
        guard let remote = plainAssociations[plain].rtcpRemote else { return }
        let destination = arena.addDestination(remote, socket: plainAssociations[plain].rtcpSocket)
        arena.commit(length: length, to: destination)
        transports[transport].packetsSent &+= 1
        transports[transport].traffic.sent &+= UInt64(length)
        countSent(length)
    }

    func countSent(_ length: Int) {
        counters.add(.datagramsSent)
        counters.add(.bytesSent, UInt64(length))
    }
}
