/// One media thread's state: its transports, streams and consumers, and all that happens to them.
///
/// A deterministic function of what it is given: datagrams, commands, records from other shards, and the time of each
/// tick. It knows no socket, no clock and no thread, so a test drives it in virtual time; `ShardThread` drives it with the
/// kernel's. A tick is: `beginTick`, any number of inputs, `endTick`.
// Safe: `transports`, producers, streams, sources and consumers are allocated here and freed in `Shard+Lifetimes`, after
// every reference to them was cleared; nothing of a shard is touched by two threads.
struct Shard: ~Copyable {
    /// A place a client's packets come from.
    struct Tuple {
        var key: TupleTable.Key
        var transport: UnsafeMutablePointer<MediaTransport>
    }

    let index: Int
    let certificate: DTLSCertificate
    /// Published addresses of the sockets, for the tuples in events.
    let localAddresses: [IPAddressPort]
    let output: any DatagramOutput
    let counters: Counters
    let links: ShardLinks

    var now: MediaInstant
    /// The wall clock at `now`.
    var wallClock = NTPTimestamp(rawValue: 0)
    /// The tick's time as abs-send-time has it: 24 bits of 6.18 fixed-point seconds.
    private(set) var absSendTime: UInt32 = 0
    private var lastFlush: MediaInstant
    var random: SplitMix
    var arena: EgressBatcher
    var timers: TimerWheel

    var transports: [UnsafeMutablePointer<MediaTransport>?] = []
    var freeTransportSlots: [Int] = []
    var transportsByKey: [UInt64: UnsafeMutablePointer<MediaTransport>] = [:]
    var transportsByUsernameFragment: [String: UnsafeMutablePointer<MediaTransport>] = [:]
    var tuples: [Tuple?] = []
    var freeTuples: [Int] = []
    var tupleNumbers = TupleTable()
    /// The transports of sockets of their own, behind the shard's: the first of them has number `localAddresses.count`.
    var ownSockets: [OwnSocket?] = []
    var producersByKey: [UInt64: UnsafeMutablePointer<ShardProducer>] = [:]
    var consumersByKey: [UInt64: UnsafeMutablePointer<ShardConsumer>] = [:]
    var feedsByKey: [UInt64: UnsafeMutablePointer<ProducerFeed>] = [:]
    /// Consumers whose layers are chosen, and when they are next looked at.
    var selecting: [UnsafeMutablePointer<ShardConsumer>] = []
    var nextSelection: MediaInstant?
    /// Consumers that catch up, and when they get more although nothing arrives.
    var catchingUp: [UnsafeMutablePointer<ShardConsumer>] = []
    var nextCatchUp: MediaInstant?
    /// Consumers that wait for a key frame, and when they ask again although nothing arrives.
    var wishing: [UnsafeMutablePointer<ShardConsumer>] = []
    var nextWish: MediaInstant?
    /// Transports with audio levels that their rooms have not been told, and when they will be.
    var withAudioLevels: [Int] = []
    var audioLevelDeadline: MediaInstant?
    /// Transports whose deadlines may have moved in this tick.
    var touched: [Int] = []
    /// Empty between two uses; keeps its memory.
    var dueSenderReports: [DueSenderReport] = []
    /// Scratch: a header template, then a payload behind it where both must be contiguous.
    let scratch: UnsafeMutableRawBufferPointer
    let nackNumbers: UnsafeMutableBufferPointer<UInt16>

    init(
        index: Int, certificate: DTLSCertificate, localAddresses: [IPAddressPort], output: any DatagramOutput,
        canSegment: Bool, counters: Counters, links: ShardLinks, seed: UInt64, now: MediaInstant
    ) {
        self.index = index
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
        scratch = .allocate(byteCount: 4096, alignment: 64)
        nackNumbers = .allocate(capacity: 1024)
    }

    deinit {
        scratch.deallocate()
        nackNumbers.deallocate()
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
        while let slot = timers.popExpired(at: now) {
            if let transport = transports[slot] { deadlineReached(transport) }
        }
        if let due = nextSelection, due <= now { updateSelections() }
        if let due = nextCatchUp, due <= now { sendCachedGOPs() }
        if let due = nextWish, due <= now { renewWishes() }
        if let audioLevelDeadline, audioLevelDeadline <= now { sendAudioLevels() }
        for slot in touched {
            guard let transport = transports[slot] else { continue }
            if let deadline = transport.pointee.nextDeadline {
                timers.schedule(slot, at: deadline)
            } else {
                timers.cancel(slot)
            }
        }
        touched.removeAll(keepingCapacity: true)
        if !arena.isEmpty, now - lastFlush >= Self.flushInterval { flush() }
        links.publish()
    }

    /// When `endTick` has something to do by itself.
    func nextDeadline() -> MediaInstant? {
        earliest(
            earliest(earliest(timers.nextDeadline(), audioLevelDeadline), earliest(nextSelection, nextCatchUp)),
            earliest(nextWish, arena.isEmpty ? nil : lastFlush + Self.flushInterval))
    }

    /// Notes that a transport's deadlines may have moved.
    mutating func touch(_ transport: UnsafeMutablePointer<MediaTransport>) {
        if touched.last != transport.pointee.slot { touched.append(transport.pointee.slot) }
    }

    /// Two flushes are at least this far apart: a lone packet leaves at once, and under load what a destination gets
    /// within a millisecond, from however many publishers, leaves in few messages.
    static let flushInterval = MediaDuration.milliseconds(1)
    /// A flush of fewer is an answer or a report, and makes no packet wait.
    static let fewMessages = 8

    /// Sends what is queued.
    mutating func flush() {
        let outcome = arena.flush(through: output, sockets: localAddresses.count)
        if outcome.messages >= Self.fewMessages { lastFlush = now }
        counters.add(.messagesSent, UInt64(outcome.messages))
        if outcome.aboveMTU > 0 { counters.add(.datagramsAboveMTU, UInt64(outcome.aboveMTU)) }
        if outcome.refused > 0 { counters.add(.sendRefused, UInt64(outcome.refused)) }
    }

    /// Makes sure that the arena takes one more datagram.
    mutating func ensureCapacity() {
        if !arena.hasCapacity { flush() }
    }

    /// Queues the datagram written at `arena.next` for the transport's client.
    mutating func commit(length: Int, to transport: UnsafeMutablePointer<MediaTransport>, stream: UInt32 = 0) {
        if !arena.isCurrent(transport.pointee.destination) {
            guard case .udp(let socket, let remote) = transport.pointee.route else { return }
            transport.pointee.destination = arena.addDestination(remote, socket: socket)
        }
        arena.commit(length: length, to: transport.pointee.destination, stream: stream)
        transport.pointee.packetsSent &+= 1
        transport.pointee.traffic.sent &+= UInt64(length)
        countSent(length)
    }

    /// The same for a compound RTCP packet, which a plain transport may send by another way.
    mutating func commitRTCP(length: Int, to transport: UnsafeMutablePointer<MediaTransport>) {
        guard case .plain(let plain) = transport.pointee.association, !plain.pointee.usesRTCPMux else {
            return commit(length: length, to: transport)
        }
        guard let remote = plain.pointee.rtcpRemote else { return }
        let destination = arena.addDestination(remote, socket: plain.pointee.rtcpSocket)
        arena.commit(length: length, to: destination)
        transport.pointee.packetsSent &+= 1
        transport.pointee.traffic.sent &+= UInt64(length)
        countSent(length)
    }

    func countSent(_ length: Int) {
        counters.add(.datagramsSent)
        counters.add(.bytesSent, UInt64(length))
    }
}

/// A small random generator for sequence numbers, SSRCs and report times: nothing secret comes from it.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
