/// The sending half of an association: what waits, what is under way, and when it is sent again (RFC 9260 §6).
///
/// Numbers are given when a chunk is first put into a packet, never earlier, so that messages whose time is over leave no
/// hole. Whatever is under way keeps the retransmission timer running.
struct SCTPSender {
    /// Packets of new or lost data in one go, beside as many as have just arrived (RFC 9260 §6.1 D).
    private static let burst: UInt8 = 4
    private static let longestBurst = 32
    /// A fragment that is not the last of its message is not made shorter than this.
    private static let shortestFragment = 256
    /// Without more in flight than this, every chunk wants its acknowledgement at once (RFC 7053).
    private static let thinWindow = 10
    /// A message is repeated so often in vain at most before FORWARD-TSN is (RFC 3758 §3.5 F2).
    private static let forwardInterval = MediaDuration.milliseconds(200)

    let settings: SCTPSettings
    private(set) var isInterleaved = false
    private(set) var hasPartialReliability = false
    var messages = SCTPMessageTable()
    var queue = SCTPSendQueue()
    var outstanding: SCTPOutstandingChunks
    var congestion: SCTPCongestionWindow
    var timeout = SCTPRetransmissionTimeout()
    /// The peer acknowledged everything up to here.
    var cumulative: TSN
    /// Everything up to here has arrived or was given up (RFC 3758 §3.5).
    var advanced: TSN
    /// What the peer can take beside what is under way, in bytes of payload.
    var peerWindow: Int
    /// The retransmission timer (T3-rtx): set whenever something is outstanding.
    var deadline: MediaInstant?
    /// When FORWARD-TSN is due.
    var forwardDeadline: MediaInstant?
    /// One packet may go out whatever the congestion window says.
    var hasFastRetransmission = false
    private var burstLeft = burst
    private var burstBegan = MediaInstant(nanoseconds: 0)
    private var lastSent: MediaInstant?
    /// Times in a row that the timer ran out.
    var errors: UInt16 = 0
    /// Messages that were given up after a part of them was sent.
    var abandonedCount: UInt64 = 0
    var retransmittedCount: UInt64 = 0

    init(settings: SCTPSettings) {
        self.settings = settings
        let first = TSN(0)
        outstanding = SCTPOutstandingChunks(first: first, isInterleaved: false)
        congestion = SCTPCongestionWindow(chunk: settings.maximumChunk, peerWindow: 0)
        cumulative = first.previous
        advanced = first.previous
        peerWindow = 0
    }

    private var headerLength: Int { isInterleaved ? SCTPDataHeader.interleavedLength : SCTPDataHeader.length }

    // MARK: Beginning

    /// The association is established: chunks are numbered from `first`. What was sent in part in an earlier one is sent
    /// again whole.
    mutating func begin(first: TSN, peerWindow: UInt32, capabilities: SCTPCapabilities) {
        let indices = takeAll()
        isInterleaved = capabilities.contains(.interleaving)
        hasPartialReliability = capabilities.contains(.partialReliability)
        outstanding = SCTPOutstandingChunks(first: first, isInterleaved: isInterleaved)
        congestion = SCTPCongestionWindow(chunk: settings.maximumChunk, peerWindow: peerWindow)
        timeout = SCTPRetransmissionTimeout()
        cumulative = first.previous
        advanced = first.previous
        self.peerWindow = Int(peerWindow)
        (deadline, forwardDeadline, lastSent) = (nil, nil, nil)
        hasFastRetransmission = false
        (errors, burstLeft) = (0, Self.burst)
        for index in indices {
            messages[index].rewind()
            queue.append(index, &messages)
        }
    }

    /// Everything that is not done with, in the order in which it is sent, taken out of the queue.
    private mutating func takeAll() -> [Int32] {
        let waiting = queue.takeAll(messages)
        var indices: [Int32] = []
        var taken: Set<Int32> = []
        while !outstanding.isEmpty {
            let index = outstanding.removeFirst().message
            if !messages[index].isAbandoned, taken.insert(index).inserted { indices.append(index) }
            if messages[index].isAbandoned { messages.release(index) }
        }
        return indices + waiting.filter { !taken.contains($0) }
    }

    // MARK: Messages in

    mutating func enqueue(
        _ message: SCTPMessage, _ reliability: SCTPReliability, block: DataBlock? = nil, at now: MediaInstant
    ) -> SCTPSendResult {
        let count = message.payload.count
        guard count > 0 else { return .empty }
        guard count <= Int(settings.largestSentMessage) else { return .tooLarge }
        if !fits(count, on: message.stream) { queue.removeExpired(on: message.stream, &messages, at: now) }
        guard fits(count, on: message.stream) else { return .bufferFull }
        let queued = SCTPQueuedMessage(message, reliability: reliability, block: block, at: now)
        queue.append(messages.insert(queued), &messages)
        return .queued
    }

    private func fits(_ count: Int, on stream: UInt16) -> Bool {
        queue.buffered + count <= Int(settings.sendBuffer)
            && queue.buffered(on: stream) + count <= Int(settings.streamSendBuffer)
    }

    /// Nothing waits and nothing is under way.
    var isDrained: Bool { queue.isEmpty && outstanding.isEmpty }

    /// The time until what is sent now counts as lost. While the peer has no room, its silence says little, and it is asked
    /// less and less often (RFC 9260 §6.1 A).
    private var currentTimeout: MediaDuration {
        timeout.duration(atMost: peerWindow < settings.maximumChunk ? .seconds(60) : settings.longestBackOff)
    }

    // MARK: Packets out

    /// A new occasion to send: an acknowledgement, a timer, or time that has passed.
    /// - Parameter acked: bytes that have arrived. A peer that acknowledges many packets at once gets as many more, or the
    ///   window would never be used.
    mutating func renewBurst(acked: Int = 0, at now: MediaInstant) {
        // Acknowledgements that arrive together allow together what they would one by one.
        let left = acked > 0 && burstBegan == now ? Int(burstLeft) : 0
        burstLeft = UInt8(min(left + Int(Self.burst) + acked / settings.maximumChunk, Self.longestBurst))
        burstBegan = now
    }

    /// Writes what may be sent of lost and of new data.
    /// - Parameter low: streams whose messages that wait have come down to their threshold.
    /// - Returns: whether there was any.
    mutating func writeData(
        into writer: inout SCTPPacketWriter, low: inout [UInt16], at now: MediaInstant
    ) throws(WireError) -> Bool {
        if burstBegan != now { renewBurst(at: now) }
        guard burstLeft > 0 || hasFastRetransmission else { return false }
        rest(at: now)
        let begin = writer.count
        let isComplete = try writeLost(into: &writer, at: now)
        if isComplete { try writeNew(into: &writer, low: &low, at: now) }
        guard writer.count > begin else { return false }
        burstLeft -= burstLeft > 0 ? 1 : 0
        hasFastRetransmission = false
        lastSent = now
        if deadline == nil { deadline = now + currentTimeout }
        return true
    }

    /// After a time without data the window is smaller.
    private mutating func rest(at now: MediaInstant) {
        guard outstanding.isEmpty, let last = lastSent else { return }
        let span = max(currentTimeout.nanoseconds, 1)
        let count = (now - last).nanoseconds / span
        if count > 0 {
            congestion.idled(count)
            lastSent = now
        }
    }

    /// Whether a chunk with so much payload may be sent now.
    private func mayCarry(_ payload: Int) -> Bool {
        // With nothing under way, one chunk may find out if there is room again.
        let hasRoom = payload <= peerWindow || outstanding.flightCount == 0
        return hasRoom && (outstanding.flight < Int(congestion.window) || hasFastRetransmission)
    }

    /// - Returns: whether nothing is left that has to go before new data.
    private mutating func writeLost(
        into writer: inout SCTPPacketWriter, at now: MediaInstant
    ) throws(WireError) -> Bool {
        guard outstanding.lostCount > 0 else { return true }
        var offset = 0
        while offset < outstanding.count, outstanding.lostCount > 0 {
            let chunk = outstanding[offset]
            guard chunk.state == .lost else {
                offset += 1
                continue
            }
            if isOver(chunk, at: now) {
                abandon(offset, at: now)
                continue
            }
            guard writer.remaining >= chunk.wireLength(headerLength), mayCarry(Int(chunk.length)) else { return false }
            try write(chunk, tsn: outstanding.first.advanced(by: offset), into: &writer)
            outstanding.sendAgain(offset, at: now)
            retransmittedCount &+= 1
            peerWindow = max(peerWindow - Int(chunk.length), 0)
            // RFC 9260 §6.3.2 R3.
            if offset == 0 { deadline = now + currentTimeout }
            offset += 1
        }
        return true
    }

    private mutating func writeNew(
        into writer: inout SCTPPacketWriter, low: inout [UInt16], at now: MediaInstant
    ) throws(WireError) {
        let isEmptyBefore = writer.isEmpty
        var written = 0
        while !outstanding.isFull,
            let index = queue.peek(&messages, isInterleaved: isInterleaved, at: now)
        {
            let room = writer.remaining - headerLength
            let unsent = messages[index].unsent
            guard room > 0 else { return }
            var length = unsent
            if length > room {
                // What shares its packet with other chunks is not cut for it.
                guard written == 0, room >= Self.shortestFragment || isEmptyBefore else { return }
                length = room & ~3
            }
            guard length > 0, mayCarry(length) else { return }
            let chunk = begin(index, length, at: now)
            try write(chunk, tsn: outstanding.next, into: &writer)
            outstanding.append(chunk)
            peerWindow = max(peerWindow - length, 0)
            let stream = messages[index].stream
            if queue.took(length, of: index, &messages, isInterleaved: isInterleaved) { low.append(stream) }
            written += 1
        }
    }

    /// The next fragment of a message, which gets its number with the first.
    private mutating func begin(_ index: Int32, _ length: Int, at now: MediaInstant) -> SCTPOutstandingChunk {
        let isFirst = messages[index].sent == 0
        if isFirst {
            messages[index].number = queue.takeNumber(
                messages[index].stream, isUnordered: messages[index].isUnordered, isInterleaved: isInterleaved)
        }
        var flags: SCTPDataHeader.Flags = isFirst ? .beginning : []
        if length == messages[index].unsent { flags.insert(.end) }
        messages[index].references += 1
        return SCTPOutstandingChunk(
            message: index, offset: messages[index].sent, length: UInt16(truncatingIfNeeded: length),
            fragment: messages[index].fragments, flags: flags, sentAt: now)
    }

    private func write(
        _ chunk: SCTPOutstandingChunk, tsn: TSN, into writer: inout SCTPPacketWriter
    ) throws(WireError) {
        let message = messages[chunk.message]
        var flags = chunk.flags
        if message.isUnordered { flags.insert(.unordered) }
        if Int(congestion.window) < Self.thinWindow * settings.maximumPacket { flags.insert(.immediately) }
        let header = SCTPDataHeader(
            isInterleaved: isInterleaved, tsn: tsn, stream: message.stream, number: message.number,
            fragment: chunk.fragment, payloadProtocol: message.payloadProtocol, flags: flags)
        let start = Int(chunk.offset)
        try header.write(message.payload, start..<start + Int(chunk.length), into: &writer)
    }

    // MARK: Timers

    var nextDeadline: MediaInstant? { earliest(deadline, forwardDeadline) }

    /// - Returns: whether the retransmission timer has run out.
    mutating func deadlineReached(at now: MediaInstant) -> Bool {
        guard let due = deadline, due <= now else { return false }
        // RFC 9260 §6.3.3.
        for offset in 0..<outstanding.count {
            switch outstanding[offset].state {
            case .inFlight: lose(offset, at: now)
            case .lost where isOver(outstanding[offset], at: now): abandon(offset, at: now)
            default: break
            }
            if offset < outstanding.count { outstanding.setFastRetransmitted(offset, false) }
        }
        congestion.timedOut()
        timeout.ranOut()
        errors = errors == .max ? .max : errors + 1
        hasFastRetransmission = false
        renewBurst(at: now)
        deadline = outstanding.isEmpty ? nil : now + currentTimeout
        if advanced.isNewer(than: cumulative) { forwardDeadline = now }
        return true
    }

    // MARK: Giving up

    /// Whether a lost chunk is not worth sending again.
    private func isOver(_ chunk: SCTPOutstandingChunk, at now: MediaInstant) -> Bool {
        guard hasPartialReliability else { return false }
        let message = messages[chunk.message]
        if let limit = message.retransmissions, chunk.transmissions > limit { return true }
        return message.isExpired(at: now)
    }

    /// A chunk counts as lost: it is sent again, or its message given up.
    mutating func lose(_ offset: Int, at now: MediaInstant) {
        outstanding.mark(offset, .lost)
        if isOver(outstanding[offset], at: now) { abandon(offset, at: now) }
    }

    /// Gives up the whole message of a chunk (RFC 3758 §3.5 A).
    private mutating func abandon(_ offset: Int, at now: MediaInstant) {
        let index = outstanding[offset].message
        abandonedCount &+= 1
        // Without interleaving its fragments stand side by side.
        var from = offset
        while from > 0, isInterleaved || outstanding[from - 1].message == index { from -= 1 }
        var position = from
        while position < outstanding.count, isInterleaved || outstanding[position].message == index {
            if outstanding[position].message == index, outstanding[position].state != .acked {
                outstanding.mark(position, .abandoned)
            }
            position += 1
        }
        messages[index].isAbandoned = true
        if messages[index].unsent > 0 {
            queue.abandonStarted(index, &messages)
            // The peer has to hear of the message's end, even if all that was sent of it has arrived: or else it would wait
            // for the rest, and the next message's beginning would come within this one.
            messages[index].references += 1
            outstanding.append(
                SCTPOutstandingChunk(
                    message: index, offset: 0, length: 0, fragment: 0, flags: .end, state: .abandoned, sentAt: now))
        }
        messages[index].payload = []
        messages[index].block = nil
        messages[index].sent = 0
        advance(at: now)
    }

    /// Moves the point up to which nothing is missed any more (RFC 3758 §3.5 C).
    mutating func advance(at now: MediaInstant) {
        if cumulative.isNewer(than: advanced) { advanced = cumulative }
        var (offset, last) = (advanced.distance(from: outstanding.first) + 1, advanced)
        while offset >= 0, offset < outstanding.count {
            let state = outstanding[offset].state
            guard state == .abandoned || state == .acked else { break }
            // A message is given up with all its chunks, those that have arrived too: or else the peer would keep these.
            if state == .abandoned || messages[outstanding[offset].message].isAbandoned {
                last = outstanding.first.advanced(by: offset)
            }
            offset += 1
        }
        guard last.isNewer(than: advanced) else { return }
        advanced = last
        forwardDeadline = now
    }

    /// FORWARD-TSN, if it is due: the last message that is skipped of each stream (RFC 3758 §3.2).
    /// - Parameter length: what the chunk may take at most; a long list comes in parts.
    mutating func takeForward(atMost length: Int, at now: MediaInstant) -> SCTPForwardTSN? {
        guard let due = forwardDeadline, due <= now else { return nil }
        guard advanced.isNewer(than: cumulative) else {
            forwardDeadline = nil
            return nil
        }
        let limit = (length - SCTPForwardTSN.fixedLength) / SCTPForwardTSN.entryLength(isInterleaved)
        guard limit > 0 else { return nil }
        var forward = SCTPForwardTSN(isInterleaved: isInterleaved, cumulative: cumulative)
        var places: [UInt32: Int] = [:]
        let last = advanced.distance(from: outstanding.first)
        for offset in 0...max(last, 0) where offset < outstanding.count && offset <= last {
            let chunk = outstanding[offset]
            let message = messages[chunk.message]
            if chunk.state == .abandoned, isInterleaved || !message.isUnordered {
                let key = UInt32(message.stream) << 1 | (message.isUnordered ? 1 : 0)
                if let place = places[key] {
                    forward.skipped[place].number = message.number
                } else {
                    guard forward.skipped.count < limit else { break }
                    places[key] = forward.skipped.count
                    forward.skipped.append(
                        SCTPForwardTSN.Skipped(
                            stream: message.stream, isUnordered: message.isUnordered, number: message.number))
                }
            }
            forward.cumulative = outstanding.first.advanced(by: offset)
        }
        forwardDeadline = nil
        if deadline == nil { deadline = now + currentTimeout }
        return forward
    }

    /// An acknowledgement shows that FORWARD-TSN has not arrived.
    mutating func repeatForward(at now: MediaInstant) {
        guard advanced.isNewer(than: cumulative), forwardDeadline == nil else { return }
        forwardDeadline = now + min(timeout.roundTrip ?? Self.forwardInterval, Self.forwardInterval)
    }

    /// Time for the timer again.
    mutating func restartTimer(at now: MediaInstant) { deadline = outstanding.isEmpty ? nil : now + currentTimeout }
}

// MARK: Snapshot

extension SCTPSender: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        settings = try reader.read()
        isInterleaved = try reader.read()
        hasPartialReliability = try reader.read()
        timeout = try reader.read()
        congestion = try reader.read()
        cumulative = try reader.read()
        advanced = try reader.read()
        peerWindow = Int(try reader.readUInt32())
        deadline = try reader.readOptional()
        forwardDeadline = try reader.readOptional()
        hasFastRetransmission = try reader.read()
        burstLeft = try reader.read(in: 0...UInt8(Self.longestBurst))
        burstBegan = try reader.read()
        lastSent = try reader.readOptional()
        errors = try reader.readUInt16()
        abandonedCount = try reader.readCounter()
        retransmittedCount = try reader.readCounter()
        // Every message begins with a reference that is dropped at the end: those that count are the queue's and the
        // chunks'.
        let count = Int32(truncatingIfNeeded: try reader.read(in: 0...1 << 24 as ClosedRange<UInt32>))
        for _ in 0..<count { _ = messages.insert(try reader.read()) }
        outstanding = SCTPOutstandingChunks(first: try reader.read(), isInterleaved: isInterleaved)
        for _ in 0..<(try reader.read(in: 0...UInt32(SCTPOutstandingChunks.limit * 2))) {
            let chunk: SCTPOutstandingChunk = try reader.read()
            guard (0..<count).contains(chunk.message), isPossible(chunk) else { throw .malformed }
            messages[chunk.message].references += 1
            outstanding.append(chunk)
        }
        queue = try SCTPSendQueue(restoring: &reader, messages: &messages, isInterleaved: isInterleaved)
        for index in 0..<count {
            guard messages[index].references > 1 else { throw .malformed }
            messages[index].references -= 1
        }
        guard outstanding.isEmpty || deadline != nil, cumulative == outstanding.first.previous,
            (0...outstanding.count).contains(advanced.distance(from: cumulative))
        else { throw .malformed }
    }

    private func isPossible(_ chunk: SCTPOutstandingChunk) -> Bool {
        let message = messages[chunk.message]
        if message.isAbandoned { return chunk.state == .abandoned || chunk.state == .acked }
        return chunk.state != .abandoned && Int(chunk.offset) + Int(chunk.length) <= Int(message.sent)
            && chunk.length > 0
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(settings)
        writer.write(isInterleaved)
        writer.write(hasPartialReliability)
        writer.write(timeout)
        writer.write(congestion)
        writer.write(cumulative)
        writer.write(advanced)
        writer.writeUInt32(UInt32(clamping: peerWindow))
        writer.writeOptional(deadline)
        writer.writeOptional(forwardDeadline)
        writer.write(hasFastRetransmission)
        writer.writeUInt8(burstLeft)
        writer.write(burstBegan)
        writer.writeOptional(lastSent)
        writer.writeUInt16(errors)
        writer.write(abandonedCount)
        writer.write(retransmittedCount)
        // Messages get new numbers: in the order in which chunks, and then the queue, name them first.
        var places: [Int32: UInt32] = [:]
        var order: [Int32] = []
        for index in (0..<outstanding.count).map({ outstanding[$0].message }) + queue.indices(messages)
        where places[index] == nil {
            places[index] = UInt32(clamping: order.count)
            order.append(index)
        }
        writer.writeUInt32(UInt32(clamping: order.count))
        for index in order { writer.write(messages[index]) }
        writer.write(outstanding.first)
        writer.writeUInt32(UInt32(clamping: outstanding.count))
        for offset in 0..<outstanding.count {
            var chunk = outstanding[offset]
            chunk.message = Int32(bitPattern: places[chunk.message] ?? 0)
            writer.write(chunk)
        }
        queue.write(to: &writer, messages: messages) { places[$0] ?? 0 }
    }
}
