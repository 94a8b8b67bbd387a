import Synchronization

// Roles
//   One event loop calls `send`, `next`, `drained` and `close`; it is the ring's consumer. One shard calls `write`, `end` and `taken`,
//   and owns `number`; it is the ring's producer.
//
// Layout
//   An `SPSCRing` of the client's packets, one a record, and an inbox of the shard for the other direction; four atomics beside.
//
// Ordering
//   The ring's own publishes packets. `isScheduled` is exchanged ACQUIRE-RELEASE on both sides: the shard's exchange comes after its
//   publication and its `wantsRoom`, the event loop's before it reads either, so that what the shard did before it found the flag
//   set is seen by the event loop that clears it. `waiting` and `inFlight` are relaxed numbers that publish nothing; each is raised
//   before a packet can be taken, and lowered after it was. `isOver` is relaxed: who reads it late has one packet more dropped.
//
// Progress and overflow
//   Wait-free but for the inbox, which is lock-free, and the wake, which is the event loop's business. Full towards the client: `write`
//   takes fewer bytes, and a message of the inbox says when there is room. Full towards the shard: `send` returns false.
//
// Checked by
//   MediaTests/TURN/RelayPathTests: bounds, and "packets cross threads whole and in order, and no room is forgotten", under the thread
//   sanitizer.

/// One client's way through the TURN server to one of a shard's addresses: to the shard it is a connection, to the gateway a pair of
/// bounded queues.
// Safe: records are copied within the lengths that were compared.
// Sendable: one event loop and one shard call what is theirs (see Roles).
package final class RelayPath: @unchecked Sendable {
    /// Bytes that wait for the client here, beside the connection's own.
    static let capacity = 16_384
    /// Bytes that wait for the shard.
    static let largestInFlight = 131_072

    /// The allocation's address, which is the client's to the shard.
    let relayed: IPAddressPort
    /// Where the client itself is.
    let client: IPAddressPort
    /// Which of the shard's addresses it has chosen.
    package let peer: IPAddressPort
    let kind: RelayKind
    private let inbox: RelayInbox
    private let wakeShard: @Sendable () -> Void
    private let wakeClient: @Sendable () -> Void
    /// The connection's number; the shard's.
    var number: Int?
    private var producer: SPSCRingProducer
    private var consumer: SPSCRingConsumer
    private let waiting = Atomic<Int>(0)
    private let inFlight = Atomic<Int>(0)
    private let isScheduled = Atomic<Bool>(false)
    private let wantsRoom = Atomic<Bool>(false)
    private let over = Atomic<Bool>(false)

    /// - Parameters:
    ///   - wakeShard: called after something was appended to `inbox`.
    ///   - wakeClient: called on the shard's thread when there is something for the client; `next` and `drained` are to follow.
    init(
        relayed: IPAddressPort, client: IPAddressPort, peer: IPAddressPort, kind: RelayKind, inbox: RelayInbox,
        wakeShard: @escaping @Sendable () -> Void, wakeClient: @escaping @Sendable () -> Void
    ) {
        self.relayed = relayed
        self.client = client
        self.peer = peer
        self.kind = kind
        self.inbox = inbox
        self.wakeShard = wakeShard
        self.wakeClient = wakeClient
        let ring = SPSCRing(capacity: Self.capacity * 2)
        producer = SPSCRingProducer(ring)
        consumer = SPSCRingConsumer(ring)
    }

    // MARK: The gateway's side

    /// Whether the shard has ended it: the next check needs a new one.
    package var isOver: Bool { over.load(ordering: .relaxed) }

    /// Gives the shard a packet.
    /// - Returns: whether there was place.
    package func send(_ packet: [UInt8]) -> Bool {
        guard !isOver else { return false }
        guard inFlight.add(packet.count, ordering: .relaxed).newValue <= Self.largestInFlight,
            inbox.append(.datagram(self, packet), urgent: false)
        else {
            inFlight.subtract(packet.count, ordering: .relaxed)
            return false
        }
        wakeShard()
        return true
    }

    /// To be called before `next`, once for each wake.
    package func began() { _ = isScheduled.exchange(false, ordering: .acquiringAndReleasing) }

    /// Copies the oldest packet for the client.
    /// - Returns: whether there was one.
    package func next(into packet: inout [UInt8]) -> Bool {
        guard let record = unsafe consumer.peek() else { return false }
        packet.removeAll(keepingCapacity: true)
        unsafe packet.append(contentsOf: record)
        consumer.advance()
        waiting.subtract(packet.count, ordering: .relaxed)
        return true
    }

    /// `next` has found no more.
    package func drained() {
        guard wantsRoom.exchange(false, ordering: .relaxed) else { return }
        if inbox.append(.room(self), urgent: true) { wakeShard() } else { wantsRoom.store(true, ordering: .relaxed) }
    }

    /// The client is gone.
    package func close() {
        guard !over.exchange(true, ordering: .relaxed) else { return }
        if inbox.append(.closed(self), urgent: true) { wakeShard() }
    }

    // MARK: The shard's side

    /// A packet that `send` gave was taken out.
    func taken(_ count: Int) { inFlight.subtract(count, ordering: .relaxed) }

    /// Takes what a connection sends: packets behind their lengths (RFC 4571 §2), whole ones only.
    /// - Returns: how many bytes were taken; `nil` if the client is gone.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !isOver else { return nil }
        var taken = 0
        while let header = unsafe bytes.view(from: taken, count: TCPFrameReader.headerLength) {
            let length = unsafe Int(header.uint16(provenAt: 0))
            guard let packet = unsafe bytes.view(from: taken + TCPFrameReader.headerLength, count: length) else {
                break
            }
            guard waiting.load(ordering: .relaxed) + length <= Self.capacity,
                let memory = unsafe producer.reserve(length)
            else { break }
            unsafe memory.copyMemory(from: packet.baseAddress ?? UnsafeRawPointer(memory), byteCount: length)
            producer.commit()
            waiting.add(length, ordering: .relaxed)
            taken += TCPFrameReader.headerLength + length
        }
        let isFull = taken < bytes.count
        if isFull { wantsRoom.store(true, ordering: .relaxed) }
        if producer.publish() || isFull { wake() }
        return taken
    }

    /// The connection is over.
    func end() {
        number = nil
        over.store(true, ordering: .relaxed)
        wake()
    }

    private func wake() {
        if !isScheduled.exchange(true, ordering: .acquiringAndReleasing) { wakeClient() }
    }
}
