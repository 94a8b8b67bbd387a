/// What connects one shard to the others: a ring to each, a ring from each, and everybody's command queue.
// Safe: `outgoing` and `incoming` own one initialized end for each other shard; used by the owning shard's thread only.
@safe final class ShardLinks {
    let index: Int
    let count: Int
    /// Every shard's commands, this one's included.
    let queues: [MPSCQueue<MediaCommand>]
    /// The same of data producers' messages.
    private let inboxes: [DataInbox]
    /// What the gateway has for this shard from clients of the TURN server.
    let relays: RelayInbox
    /// Whether each shard's sockets get clients of all.
    let sharesPort: Bool
    private let outgoing: UnsafeMutablePointer<SPSCRingProducer>
    private let incoming: UnsafeMutablePointer<SPSCRingConsumer>
    /// Ends the sleep of a shard's thread.
    private let wake: (Int) -> Void

    /// Bytes of each ring: about 700 packets of video.
    static let ringCapacity = 1 << 20

    /// - Parameters:
    ///   - rings: `rings[from][to]`.
    ///   - wake: called with a shard whose thread sleeps and has something to do.
    init(
        index: Int, rings: [[SPSCRing]], queues: [MPSCQueue<MediaCommand>], inboxes: [DataInbox],
        relays: RelayInbox = RelayInbox(), sharesPort: Bool = false, wake: @escaping (Int) -> Void
    ) {
        self.index = index
        count = rings.count
        self.queues = queues
        self.inboxes = inboxes
        self.relays = relays
        self.sharesPort = sharesPort
        self.wake = wake
        unsafe outgoing = .allocate(capacity: count)
        unsafe incoming = .allocate(capacity: count)
        for other in 0..<count {
            unsafe (outgoing + other).initialize(to: SPSCRingProducer(rings[index][other]))
            unsafe (incoming + other).initialize(to: SPSCRingConsumer(rings[other][index]))
        }
    }

    deinit {
        unsafe outgoing.deinitialize(count: count)
        unsafe incoming.deinitialize(count: count)
        unsafe outgoing.deallocate()
        unsafe incoming.deallocate()
    }

    /// Writes a message to another shard into its ring.
    /// - Returns: whether there was place.
    func send(_ message: ShardMessage, to shard: Int) -> Bool {
        guard let memory = unsafe outgoing[shard].reserve(message.encodedLength) else { return false }
        unsafe message.encode(to: memory)
        unsafe outgoing[shard].commit()
        return true
    }

    /// The oldest message from another shard.
    func peek(from shard: Int) -> UnsafeRawBufferPointer? { unsafe incoming[shard].peek() }

    func advance(from shard: Int) { unsafe incoming[shard].advance() }

    /// Makes this tick's messages visible, and wakes the shards that sleep.
    func publish() {
        for other in 0..<count where other != index {
            if unsafe outgoing[other].publish(), queues[other].mustWakeConsumer() { wake(other) }
        }
    }

    /// Whether some ring to this shard has messages.
    var hasIncoming: Bool {
        if !inbox.isEmpty || !relays.isEmpty { return true }
        for other in 0..<count where unsafe other != index && !incoming[other].isEmpty() { return true }
        return false
    }

    /// What other shards have sent this one of data producers' messages.
    var inbox: DataInbox { inboxes[index] }

    /// Gives a data producer's message to another shard.
    /// - Returns: whether there was place.
    func send(_ delivery: DataDelivery, to shard: Int) -> Bool {
        guard shard < count, inboxes[shard].append(delivery) else { return false }
        if queues[shard].mustWakeConsumer() { wake(shard) }
        return true
    }

    /// Gives a command to another shard, from this one.
    func send(_ command: MediaCommand, to shard: Int) -> Bool {
        switch queues[shard].push(command, urgent: true) {
        case .full: return false
        case .enqueued: return true
        case .enqueuedWakeConsumer:
            wake(shard)
            return true
        }
    }
}
