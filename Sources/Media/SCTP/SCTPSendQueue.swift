/// Messages that wait, by streams, and whose turn it is: one message of each stream in turn; with interleaving, fragments
/// in turn, in proportion to the streams' priorities.
struct SCTPSendQueue {
    private(set) var streams: [UInt16: SCTPOutgoingStream] = [:]
    /// Streams in the order of their turns.
    private var ready: [UInt16] = []
    private var readyHead = 0
    /// Without interleaving nothing may come between a message's fragments (RFC 9260 §6.9); -1 for none.
    private(set) var current: Int32 = -1
    /// Payload that is in no packet yet, in bytes.
    private(set) var buffered = 0
    /// Messages whose time was over before they were sent.
    private(set) var expired: UInt64 = 0

    var isEmpty: Bool { buffered == 0 }

    func buffered(on stream: UInt16) -> Int { streams[stream]?.buffered ?? 0 }

    // MARK: In

    mutating func append(_ index: Int32, _ messages: inout SCTPMessageTable) {
        let (id, count) = (messages[index].stream, messages[index].unsent)
        var stream = streams[id] ?? SCTPOutgoingStream()
        messages[index].next = -1
        if stream.last >= 0 { messages[stream.last].next = index } else { stream.first = index }
        stream.last = index
        stream.buffered += count
        buffered += count
        if !stream.isReady, !stream.isPaused {
            stream.isReady = true
            ready.append(id)
        }
        streams[id] = stream
    }

    // MARK: Out

    /// The message whose fragment is next. Those whose time is over are dropped on the way, without a trace.
    mutating func peek(
        _ messages: inout SCTPMessageTable, isInterleaved: Bool, at now: MediaInstant
    ) -> Int32? {
        if current >= 0 { return current }
        while readyHead < ready.count {
            let id = ready[readyHead]
            guard let stream = streams[id], stream.first >= 0 else {
                endTurn(of: id, comesBack: false)
                continue
            }
            let isStarted = messages[stream.first].sent > 0
            if !isStarted, stream.isPaused {
                endTurn(of: id, comesBack: false)
                continue
            }
            if !isStarted, messages[stream.first].isExpired(at: now) {
                expired &+= 1
                removeHead(of: id, &messages)
                continue
            }
            if !isInterleaved { current = stream.first }
            return stream.first
        }
        return nil
    }

    /// A fragment's bytes are in a packet.
    /// - Returns: whether what waits on its stream came down to the threshold.
    mutating func took(
        _ count: Int, of index: Int32, _ messages: inout SCTPMessageTable, isInterleaved: Bool
    ) -> Bool {
        let id = messages[index].stream
        messages[index].sent += UInt32(truncatingIfNeeded: count)
        messages[index].fragments += 1
        guard var stream = streams[id] else { return false }
        let before = stream.buffered
        stream.buffered -= count
        buffered -= count
        let isLow = before > stream.threshold && stream.buffered <= stream.threshold
        let isWhole = messages[index].unsent == 0
        stream.deficit -= count
        let isTurnOver = isInterleaved ? stream.deficit <= 0 : isWhole
        if isTurnOver { stream.deficit = isInterleaved ? stream.deficit + stream.quantum : 0 }
        streams[id] = stream
        if isWhole { removeHead(of: id, &messages) }
        if isTurnOver || streams[id]?.first ?? -1 < 0 { endTurn(of: id, comesBack: true) }
        return isLow
    }

    /// The number of a message that begins to be sent.
    mutating func takeNumber(_ stream: UInt16, isUnordered: Bool, isInterleaved: Bool) -> UInt32 {
        guard var state = streams[stream] else { return 0 }
        defer { streams[stream] = state }
        if isUnordered {
            guard isInterleaved else { return 0 }
            defer { state.nextUnordered &+= 1 }
            return state.nextUnordered
        }
        defer { state.nextOrdered = isInterleaved ? state.nextOrdered &+ 1 : (state.nextOrdered &+ 1) & 0xFFFF }
        return state.nextOrdered
    }

    /// The stream at the front gives way to the next one.
    private mutating func endTurn(of id: UInt16, comesBack: Bool) {
        // Only the front's turn ends, but a message that goes on after its stream's turn has come out of line.
        guard readyHead < ready.count, ready[readyHead] == id else { return }
        readyHead += 1
        if comesBack, let stream = streams[id], stream.first >= 0 {
            ready.append(id)
        } else {
            streams[id]?.isReady = false
        }
        if readyHead == ready.count {
            ready.removeAll(keepingCapacity: ready.capacity <= 16)
            readyHead = 0
        } else if readyHead > 64, readyHead * 2 > ready.count {
            ready.removeFirst(readyHead)
            readyHead = 0
        }
    }

    /// The first message of a stream leaves the queue; chunks of it may be under way.
    private mutating func removeHead(of id: UInt16, _ messages: inout SCTPMessageTable) {
        guard var stream = streams[id], stream.first >= 0 else { return }
        let index = stream.first
        stream.buffered -= messages[index].unsent
        buffered -= messages[index].unsent
        stream.first = messages[index].next
        if stream.first < 0 { stream.last = -1 }
        streams[id] = stream
        if current == index { current = -1 }
        messages[index].next = -1
        messages.release(index)
    }

    /// A message that was sent in part is given up.
    mutating func abandonStarted(_ index: Int32, _ messages: inout SCTPMessageTable) {
        let id = messages[index].stream
        guard streams[id]?.first == index else { return }
        let isTurn = current == index
        removeHead(of: id, &messages)
        if isTurn || streams[id]?.first ?? -1 < 0 { endTurn(of: id, comesBack: true) }
    }

    /// Drops messages of a stream whose time is over, to make room for another one.
    mutating func removeExpired(on id: UInt16, _ messages: inout SCTPMessageTable, at now: MediaInstant) {
        removeAll(on: id, &messages) { $0.isExpired(at: now) }
    }

    /// Drops the messages of a stream of which nothing was sent.
    mutating func removeUnstarted(on id: UInt16, _ messages: inout SCTPMessageTable) {
        removeAll(on: id, &messages) { _ in true }
    }

    private mutating func removeAll(
        on id: UInt16, _ messages: inout SCTPMessageTable, if isWanted: (SCTPQueuedMessage) -> Bool
    ) {
        guard var stream = streams[id] else { return }
        var (index, kept) = (stream.first, -1 as Int32)
        stream.first = -1
        while index >= 0 {
            let following = messages[index].next
            if messages[index].sent == 0, index != current, isWanted(messages[index]) {
                let count = messages[index].payload.count
                stream.buffered -= count
                buffered -= count
                messages.release(index)
                expired &+= 1
            } else {
                if kept >= 0 { messages[kept].next = index } else { stream.first = index }
                messages[index].next = -1
                kept = index
            }
            index = following
        }
        stream.last = kept
        streams[id] = stream
    }

    // MARK: Streams

    func hasStarted(_ id: UInt16, _ messages: borrowing SCTPMessageTable) -> Bool {
        guard let stream = streams[id], stream.first >= 0 else { return false }
        return messages[stream.first].sent > 0
    }

    mutating func pause(_ id: UInt16) { streams[id, default: SCTPOutgoingStream()].isPaused = true }

    /// - Parameter isReset: whether its numbers begin at 0 again.
    mutating func resume(_ id: UInt16, isReset: Bool) {
        guard var stream = streams[id] else { return }
        stream.isPaused = false
        if isReset { (stream.nextOrdered, stream.nextUnordered) = (0, 0) }
        if stream.first >= 0, !stream.isReady {
            stream.isReady = true
            ready.append(id)
        }
        let isBlank = stream.first < 0 && stream.nextOrdered == 0 && stream.nextUnordered == 0 && !stream.isReady
        let isPlain = stream.threshold < 0 && stream.priority == SCTPOutgoingStream.normalPriority
        streams[id] = isBlank && isPlain ? nil : stream
    }

    mutating func setThreshold(_ threshold: Int, of id: UInt16) {
        streams[id, default: SCTPOutgoingStream()].threshold = threshold
    }

    mutating func setPriority(_ priority: UInt16, of id: UInt16) {
        streams[id, default: SCTPOutgoingStream()].priority = priority
    }

    /// Everything that waits, stream by stream, which begins again with the numbers (RFC 9260 §5.2.4.1).
    mutating func takeAll(_ messages: borrowing SCTPMessageTable) -> [Int32] {
        var indices: [Int32] = []
        for id in streams.keys.sorted() {
            var index = streams[id]?.first ?? -1
            while index >= 0 {
                indices.append(index)
                index = messages[index].next
            }
            guard var stream = streams[id] else { continue }
            (stream.first, stream.last, stream.nextOrdered, stream.nextUnordered) = (-1, -1, 0, 0)
            (stream.buffered, stream.deficit, stream.isPaused, stream.isReady) = (0, 0, false, false)
            streams[id] = stream
        }
        ready = []
        readyHead = 0
        current = -1
        buffered = 0
        return indices
    }
}

// MARK: Snapshot

extension SCTPSendQueue {
    /// - Parameters:
    ///   - messages: all messages, each in the queue once at most; they get their places and references here.
    init(
        restoring reader: inout SnapshotReader, messages: inout SCTPMessageTable, isInterleaved: Bool
    ) throws(WireError) {
        expired = try reader.readCounter()
        var last = -1
        var queued: Set<Int32> = []
        for _ in 0..<(try reader.read(in: 0...65_536 as ClosedRange<UInt32>)) {
            let id = try reader.readUInt16()
            guard Int(id) > last else { throw .malformed }
            last = Int(id)
            var stream = SCTPOutgoingStream()
            let numbers: ClosedRange<UInt32> = 0...(isInterleaved ? .max : 0xFFFF)
            stream.nextOrdered = try reader.read(in: numbers)
            stream.nextUnordered = try reader.readUInt32()
            stream.threshold = Int(try reader.read(in: 0...1 << 30 + 1 as ClosedRange<UInt32>)) - 1
            stream.priority = try reader.readUInt16()
            stream.deficit = Int(try reader.read(in: Self.deficits)) - Self.deficitOffset
            stream.isPaused = try reader.read()
            for position in 0..<(try reader.readUInt32()) {
                let index = Int32(bitPattern: try reader.readUInt32())
                guard index >= 0, Int(index) < messages.count, queued.insert(index).inserted,
                    messages[index].stream == id, position == 0 || messages[index].sent == 0,
                    messages[index].unsent > 0, !messages[index].isAbandoned
                else { throw .malformed }
                messages[index].references += 1
                if stream.last >= 0 { messages[stream.last].next = index } else { stream.first = index }
                stream.last = index
                stream.buffered += messages[index].unsent
            }
            buffered += stream.buffered
            streams[id] = stream
        }
        for _ in 0..<(try reader.read(in: 0...65_536 as ClosedRange<UInt32>)) {
            let id = try reader.readUInt16()
            guard let stream = streams[id], !stream.isReady else { throw .malformed }
            streams[id]?.isReady = true
            ready.append(id)
        }
        // What waits has its turn some day.
        for stream in streams.values where stream.first >= 0 && !stream.isPaused {
            guard stream.isReady else { throw .malformed }
        }
        current = Int32(bitPattern: try reader.readUInt32())
        guard current == -1 || !isInterleaved && queued.contains(current) else { throw .malformed }
        if current >= 0, streams[messages[current].stream]?.first != current { throw .malformed }
        guard isInterleaved || queued.allSatisfy({ messages[$0].sent == 0 || $0 == current }) else { throw .malformed }
    }

    private static let deficitOffset = 1 << 20
    private static let deficits: ClosedRange<UInt32> = 0...1 << 21

    /// - Parameter place: a message's number in the snapshot.
    func write(to writer: inout SnapshotWriter, messages: borrowing SCTPMessageTable, place: (Int32) -> UInt32) {
        writer.write(expired)
        writer.writeUInt32(UInt32(clamping: streams.count))
        for (id, stream) in streams.sorted(by: { $0.key < $1.key }) {
            writer.writeUInt16(id)
            writer.writeUInt32(stream.nextOrdered)
            writer.writeUInt32(stream.nextUnordered)
            writer.writeUInt32(UInt32(clamping: stream.threshold + 1))
            writer.writeUInt16(stream.priority)
            writer.writeUInt32(UInt32(clamping: stream.deficit + Self.deficitOffset))
            writer.write(stream.isPaused)
            var indices: [Int32] = []
            var index = stream.first
            while index >= 0 {
                indices.append(index)
                index = messages[index].next
            }
            writer.writeUInt32(UInt32(clamping: indices.count))
            for index in indices { writer.writeUInt32(place(index)) }
        }
        writer.writeUInt32(UInt32(clamping: ready.count - readyHead))
        for id in ready[readyHead...] { writer.writeUInt16(id) }
        writer.writeUInt32(current >= 0 ? place(current) : .max)
    }

    /// Messages in the order in which they are written: each once.
    func indices(_ messages: borrowing SCTPMessageTable) -> [Int32] {
        var indices: [Int32] = []
        for id in streams.keys.sorted() {
            var index = streams[id]?.first ?? -1
            while index >= 0 {
                indices.append(index)
                index = messages[index].next
            }
        }
        return indices
    }
}
