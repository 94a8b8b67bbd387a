/// Collects what one tick sends, and hands it over grouped by destination.
///
/// Packets are sealed straight into its memory. A destination's packets of equal size leave as one message with
/// UDP_SEGMENT, which is what makes fan-out cheap; a shorter one may close a run.
// Safe: every pointer below is allocated in `init` with the capacity named there and freed in `deinit`; all indices come
// from `commit` and `addDestination`, whose callers asked `hasCapacity`. It lives and dies on its shard's thread.
@safe struct EgressBatcher: ~Copyable {
    /// Names a destination until the next `flush`.
    struct DestinationIndex {
        fileprivate var index: Int32
        fileprivate var generation: UInt64

        /// An index that no generation matches.
        static let none = DestinationIndex(index: 0, generation: 0)
    }

    private struct Entry {
        var offset: Int32
        var length: Int32
        var next: Int32
        /// Packets of one stream keep their order; 0 for what belongs to none.
        var stream: UInt32
    }

    private struct Destination {
        var address: IPAddressPort
        var socket: Int32
        var first: Int32
        var last: Int32
        var count: Int32
    }

    /// What became of a flush.
    struct Outcome: Equatable {
        /// Messages handed to the output: datagrams over messages is the gain of UDP_SEGMENT.
        var messages = 0
        /// Datagrams the output did not take.
        var refused = 0
        /// Datagrams larger than an Ethernet path carries whole.
        var aboveMTU = 0
    }

    /// Writable bytes at `next`.
    static let largestDatagram = 2048
    static let byteCapacity = 4 << 20
    static let entryCapacity = 4096
    /// The largest datagrams of an Ethernet path's MTU of 1,500 bytes. The kernel refuses to cut a message into larger
    /// ones (EMSGSIZE), and sends a single larger one in fragments.
    static let largestWholeIPv4 = 1472
    static let largestWholeIPv6 = 1452
    /// Messages handed over at a time, and datagrams in one message.
    static let batchCapacity = 64
    static let segmentCapacity = 64
    /// A UDP_SEGMENT message carries at most this many bytes (the IP packet's limit less headers).
    static let largestMessage = 65_000

    private let bytes: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let destinations: UnsafeMutablePointer<Destination>
    private let pieces: UnsafeMutablePointer<UnsafeRawBufferPointer>
    private let messages: UnsafeMutablePointer<OutgoingMessage>
    /// One destination's entries in the order they are sent in.
    private let order: UnsafeMutablePointer<Int32>
    private var byteCount = 0
    private var entryCount = 0
    private var destinationCount = 0
    /// Among the destinations.
    private var highestSocket = -1
    /// Never repeats, so that an index kept for days names nothing by chance.
    private var generation: UInt64 = 1
    /// Whether the sockets take several segments in one message.
    private let segments: Bool

    init(segments: Bool) {
        unsafe bytes = .allocate(byteCount: Self.byteCapacity, alignment: 64)
        // Touched now: a burst must not pay for page faults, nor look like a leak.
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCapacity)
        unsafe entries = .allocate(capacity: Self.entryCapacity)
        unsafe destinations = .allocate(capacity: Self.entryCapacity)
        unsafe pieces = .allocate(capacity: Self.entryCapacity)
        unsafe messages = .allocate(capacity: Self.batchCapacity)
        unsafe order = .allocate(capacity: Self.entryCapacity)
        self.segments = segments
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe entries.deallocate()
        unsafe destinations.deallocate()
        unsafe pieces.deallocate()
        unsafe messages.deallocate()
        unsafe order.deallocate()
    }

    var isEmpty: Bool { entryCount == 0 }

    /// Whether one more datagram of any size, to a new destination, fits; else `flush` first.
    var hasCapacity: Bool {
        entryCount < Self.entryCapacity && destinationCount < Self.entryCapacity
            && byteCount + Self.largestDatagram <= Self.byteCapacity
    }

    /// The place for the next datagram: `largestDatagram` writable bytes. Use only when `hasCapacity`.
    var next: UnsafeMutableRawPointer { unsafe bytes + byteCount }

    /// Whether an index obtained earlier still names its destination.
    func isCurrent(_ index: DestinationIndex) -> Bool { index.generation == generation }

    /// Registers a destination for this tick. Keep the index and ask `isCurrent` before using it again.
    mutating func addDestination(_ address: IPAddressPort, socket: Int) -> DestinationIndex {
        let index = destinationCount
        unsafe destinations[index] = Destination(
            address: address, socket: Int32(truncatingIfNeeded: socket), first: -1, last: -1, count: 0)
        destinationCount = index + 1
        highestSocket = max(highestSocket, socket)
        return DestinationIndex(index: Int32(truncatingIfNeeded: index), generation: generation)
    }

    /// Queues the `length` bytes written at `next` for a destination.
    /// - Parameter stream: packets of one stream leave in the order of their commits; of different ones, by size.
    mutating func commit(length: Int, to destination: DestinationIndex, stream: UInt32 = 0) {
        let entry = Int32(truncatingIfNeeded: entryCount)
        unsafe entries[entryCount] = Entry(
            offset: Int32(truncatingIfNeeded: byteCount), length: Int32(truncatingIfNeeded: length), next: -1,
            stream: stream)
        entryCount += 1
        // The next datagram starts on its own cache line.
        byteCount += (length + 63) & ~63
        let slot = Int(destination.index)
        if unsafe destinations[slot].last < 0 {
            unsafe destinations[slot].first = entry
        } else {
            unsafe entries[Int(destinations[slot].last)].next = entry
        }
        unsafe destinations[slot].last = entry
        unsafe destinations[slot].count += 1
    }

    /// Sends everything, socket by socket and destination by destination, and starts again.
    /// - Parameter sockets: how many the shard has; numbers from there on are transports' own.
    mutating func flush(through output: any DatagramOutput, sockets: Int) -> Outcome {
        var outcome = Outcome()
        if entryCount > 0 {
            for socket in 0..<sockets {
                flush(socket: socket, among: 0..<destinationCount, through: output, &outcome)
            }
            // Of a transport's own socket there is one destination, or two.
            if highestSocket >= sockets {
                for index in 0..<destinationCount where unsafe destinations[index].socket >= sockets {
                    unsafe flush(
                        socket: Int(destinations[index].socket), among: index..<index + 1, through: output, &outcome)
                }
            }
        }
        highestSocket = -1
        byteCount = 0
        entryCount = 0
        destinationCount = 0
        generation += 1
        return outcome
    }

    private func flush(
        socket: Int, among range: Range<Int>, through output: any DatagramOutput, _ outcome: inout Outcome
    ) {
        var batch = 0
        var piece = 0
        for index in range where unsafe destinations[index].socket == socket {
            let count = unsafe putInOrder(destinations[index])
            var position = 0
            while position < count {
                unsafe messages[batch] = nextMessage(
                    from: &position, until: count, to: index, pieceIndex: &piece, &outcome)
                batch += 1
                if batch == Self.batchCapacity {
                    outcome.messages += batch
                    unsafe outcome.refused += output.send(messages, count: batch, from: socket)
                    batch = 0
                }
            }
        }
        guard batch > 0 else { return }
        outcome.messages += batch
        unsafe outcome.refused += output.send(messages, count: batch, from: socket)
    }

    /// Fills `order` with a destination's entries, larger ones first as far as each stream's own order allows.
    private func putInOrder(_ destination: Destination) -> Int {
        var count = 0
        var entry = destination.first
        while entry >= 0 {
            let item = unsafe entries[Int(entry)]
            var position = count
            // Insertion, but never far: a burst of one stream stops it at once, and many speakers are few entries each.
            while position > 0, count - position < Self.longestMove {
                let before = unsafe entries[Int(order[position - 1])]
                guard before.length < item.length, before.stream != item.stream else { break }
                unsafe order[position] = order[position - 1]
                position -= 1
            }
            unsafe order[position] = entry
            count += 1
            entry = item.next
        }
        return count
    }

    private static let longestMove = 64

    private func largestWhole(to destination: Int) -> Int32 {
        switch unsafe destinations[destination].address.family {
        case .ipv4: Int32(Self.largestWholeIPv4)
        case .ipv6: Int32(Self.largestWholeIPv6)
        }
    }

    /// Takes the longest run of equal datagrams, with one shorter at its end, from `order`.
    private func nextMessage(
        from position: inout Int, until count: Int, to destination: Int, pieceIndex: inout Int,
        _ outcome: inout Outcome
    ) -> OutgoingMessage {
        let first = pieceIndex
        let size = unsafe entries[Int(order[position])].length
        var total = 0
        let isAboveMTU = size > Self.largestWholeIPv6 && size > largestWhole(to: destination)
        if isAboveMTU { outcome.aboveMTU += 1 }
        let segments = self.segments && !isAboveMTU
        while position < count {
            let item = unsafe entries[Int(order[position])]
            if pieceIndex > first {
                guard segments, item.length <= size, pieceIndex - first < Self.segmentCapacity,
                    total + Int(item.length) <= Self.largestMessage
                else { break }
            }
            unsafe pieces[pieceIndex] = UnsafeRawBufferPointer(
                start: bytes + Int(item.offset), count: Int(item.length))
            pieceIndex += 1
            total += Int(item.length)
            position += 1
            if item.length < size { break }
        }
        return unsafe OutgoingMessage(
            destination: destinations[destination].address,
            datagrams: UnsafeBufferPointer(start: pieces + first, count: pieceIndex - first), segmentSize: Int(size))
    }
}
