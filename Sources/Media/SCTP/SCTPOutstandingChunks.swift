/// Chunks by their TSNs, which follow one another: a ring that grows by doubling.
struct SCTPOutstandingChunks {
    /// More are not under way at a time, however small they are.
    static let limit = 16_384

    private var ring: [SCTPOutstandingChunk] = []
    private var head = 0
    private(set) var count = 0
    /// The TSN of the first one, or of the next that is sent.
    private(set) var first: TSN
    private let header: Int

    // Sums over the ring.

    /// Under way: with headers and padding, payload alone, chunks.
    private(set) var flight = 0
    private(set) var flightPayload = 0
    private(set) var flightCount = 0
    private(set) var lostCount = 0
    private(set) var ackedCount = 0

    init(first: TSN, isInterleaved: Bool) {
        self.first = first
        header = isInterleaved ? SCTPDataHeader.interleavedLength : SCTPDataHeader.length
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count >= Self.limit }
    /// The TSN of the next chunk.
    var next: TSN { first.advanced(by: count) }

    /// A chunk by its distance from the first.
    subscript(offset: Int) -> SCTPOutstandingChunk { ring[(head + offset) & (ring.count - 1)] }

    mutating func append(_ chunk: SCTPOutstandingChunk) {
        if count == ring.count { grow(chunk) }
        ring[(head + count) & (ring.count - 1)] = chunk
        count += 1
        note(chunk, 1)
    }

    private mutating func grow(_ filler: SCTPOutstandingChunk) {
        let capacity = max(ring.count * 2, 16)
        var grown: [SCTPOutstandingChunk] = []
        grown.reserveCapacity(capacity)
        for offset in 0..<count { grown.append(self[offset]) }
        grown.append(contentsOf: repeatElement(filler, count: capacity - count))
        ring = grown
        head = 0
    }

    mutating func removeFirst() -> SCTPOutstandingChunk {
        let chunk = self[0]
        note(chunk, -1)
        head = (head + 1) & (ring.count - 1)
        count -= 1
        first = first.next
        // A burst's ring is given back.
        if count == 0, ring.count > 64 {
            ring = []
            head = 0
        }
        return chunk
    }

    /// Changes a chunk's state, and the sums with it.
    mutating func mark(_ offset: Int, _ state: SCTPOutstandingChunk.State) {
        let index = (head + offset) & (ring.count - 1)
        note(ring[index], -1)
        ring[index].state = state
        note(ring[index], 1)
    }

    /// So many packets behind it have arrived.
    /// - Returns: how many there are by now.
    mutating func miss(_ offset: Int, _ count: UInt8) -> UInt8 {
        let index = (head + offset) & (ring.count - 1)
        ring[index].misses = min(ring[index].misses, 100) + min(count, 100)
        return ring[index].misses
    }

    mutating func setFastRetransmitted(_ offset: Int, _ value: Bool) {
        ring[(head + offset) & (ring.count - 1)].wasFastRetransmitted = value
    }

    /// A lost chunk goes out once more.
    mutating func sendAgain(_ offset: Int, at now: MediaInstant) {
        let index = (head + offset) & (ring.count - 1)
        ring[index].transmissions = ring[index].transmissions == .max ? .max : ring[index].transmissions + 1
        ring[index].sentAt = now
        ring[index].misses = 0
        mark(offset, .inFlight)
    }

    private mutating func note(_ chunk: SCTPOutstandingChunk, _ sign: Int) {
        switch chunk.state {
        case .inFlight:
            flight += sign * chunk.wireLength(header)
            flightPayload += sign * Int(chunk.length)
            flightCount += sign
        case .acked: ackedCount += sign
        case .lost: lostCount += sign
        case .abandoned: break
        }
    }
}
