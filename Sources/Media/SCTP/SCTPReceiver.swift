// Safe: a deferred chunk's bytes are read within the call that lends them.

/// The receiving half of an association: numbers, reassembly, the window, and when to acknowledge (RFC 9260 §6.2).
struct SCTPReceiver {
    /// A chunk of a stream that is to be reset first (RFC 6525 §5.2.2), kept as it came.
    struct Deferred {
        var header: SCTPDataHeader
        var payload: [UInt8]

        var held: Int { payload.count + SCTPFragmentRun.overhead }
    }

    enum Outcome {
        case taken, duplicate
        /// Not acknowledged: the peer is to send it again.
        case dropped
        case violation
        /// Held is more than a peer that keeps to the window can bring about.
        case exhausted
    }

    /// RFC 9260 §6.2.
    private static let longestDelay = MediaDuration.milliseconds(200)

    private let window: Int
    private let largestMessage: Int
    private(set) var tsns: SCTPReceivedTSNs
    private(set) var reassembly: SCTPReassembly
    private var deferred: [Deferred] = []
    private var deferredHeld = 0
    /// The association's first data is acknowledged at once.
    private var hasReceived = false
    /// The packet that is being read has data; always `false` between packets.
    private var hasData = false
    private var isDue = false
    private(set) var deadline: MediaInstant?
    /// What the last acknowledgement said.
    private var advertised: UInt32

    init(first: TSN, isInterleaved: Bool, settings: SCTPSettings) {
        window = Int(settings.receiveWindow)
        largestMessage = Int(settings.largestReceivedMessage)
        tsns = SCTPReceivedTSNs(before: first)
        reassembly = SCTPReassembly(isInterleaved: isInterleaved, largestMessage: settings.largestReceivedMessage)
        advertised = settings.receiveWindow
    }

    /// What waits here, with overhead.
    var held: Int { reassembly.held + deferredHeld }
    /// What is held at most, whatever the peer does. The next number in order is taken beyond the window too, because it may
    /// be what completes a message and makes room: one message more, then.
    var limit: Int { window + largestMessage + 64 * SCTPFragmentRun.overhead }
    private var available: UInt32 { UInt32(clamping: max(window - held, 0)) }

    // MARK: Data

    /// - Parameter isDeferred: the chunk belongs behind a reset that is still to come.
    mutating func dataReceived(
        _ header: SCTPDataHeader, _ payload: UnsafeRawBufferPointer, isDeferred: Bool, events: inout SCTPEventQueue
    ) -> Outcome {
        hasData = true
        switch tsns.verdict(on: header.tsn) {
        case .duplicate:
            tsns.noteDuplicate(header.tsn)
            isDue = true
            return .duplicate
        case .unusable:
            isDue = true
            return .dropped
        case .new: break
        }
        let isNext = header.tsn == tsns.cumulative.next
        if held >= window {
            isDue = true
            guard isNext else { return .dropped }
            guard held < limit else { return .exhausted }
        }
        tsns.insert(header.tsn)
        if header.flags.contains(.immediately) || !hasReceived { isDue = true }
        hasReceived = true
        if isDeferred {
            let chunk = Deferred(header: header, payload: unsafe Array(payload))
            deferredHeld += chunk.held
            deferred.append(chunk)
            return .taken
        }
        return unsafe reassembly.add(header, payload, messages: &events) ? .taken : .violation
    }

    /// A chunk of no stream is acknowledged, and that is all.
    /// - Returns: `false` if its number is not.
    mutating func discard(_ tsn: TSN) -> Bool {
        hasData = true
        guard tsns.verdict(on: tsn) == .new else { return false }
        tsns.insert(tsn)
        return true
    }

    /// The peer has given up everything up to a number.
    /// - Returns: `false` for one that is too far ahead.
    mutating func forwardReceived(_ forward: SCTPForwardTSN, events: inout SCTPEventQueue) -> Bool {
        let distance = forward.cumulative.distance(from: tsns.cumulative)
        if distance <= 0 {
            isDue = true
            return true
        }
        guard distance <= SCTPReceivedTSNs.furthest else { return false }
        hasData = true
        tsns.skip(to: forward.cumulative)
        reassembly.skip(forward.skipped, to: tsns.cumulative, messages: &events)
        return true
    }

    /// The peer's streams are reset, and what was held back for that goes on.
    mutating func reset(_ streams: [UInt16], events: inout SCTPEventQueue) {
        reassembly.reset(streams)
        let chunks = deferred
        deferred = []
        deferredHeld = 0
        events.append(.incomingStreamsReset(streams))
        for chunk in chunks {
            _ = unsafe chunk.payload.withUnsafeBytes { unsafe reassembly.add(chunk.header, $0, messages: &events) }
        }
    }

    // MARK: Acknowledgements

    /// A packet with data has been read to its end.
    /// - Parameter timeout: the retransmission timeout.
    mutating func packetEnded(timeout: MediaDuration, at now: MediaInstant) {
        guard hasData else { return }
        hasData = false
        // Of every second packet at least (RFC 9260 §6.2).
        if tsns.hasGap || deadline != nil { isDue = true }
        if !isDue {
            let half = MediaDuration(nanoseconds: timeout.nanoseconds / 2)
            deadline = now + min(half, Self.longestDelay)
        }
    }

    mutating func deadlineReached(at now: MediaInstant) {
        guard let due = deadline, due <= now else { return }
        deadline = nil
        isDue = true
    }

    var isAckDue: Bool { isDue }

    /// An acknowledgement is sent with whatever goes out.
    var hasAck: Bool { isDue || deadline != nil }

    /// What an acknowledgement says now, with so many gap blocks and duplicates at most.
    func acknowledgement(atMost limit: Int) -> SCTPSelectiveAck {
        tsns.acknowledgement(window: available, atMost: limit)
    }

    mutating func ackSent() {
        tsns.forgetDuplicates()
        advertised = available
        isDue = false
        deadline = nil
    }

    mutating func acknowledgeNow() { isDue = true }

    /// The peer believes that there is no room while there is again: that is said at once.
    mutating func windowOpened(chunk: Int) {
        if Int(advertised) < chunk, Int(available) >= max(window / 4, 1) { isDue = true }
    }
}

extension SCTPReceiver.Deferred: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        header = try reader.read()
        payload = try reader.readBytes(Int(try reader.readUInt16()))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(header)
        writer.writeCounted(payload)
    }
}

extension SCTPDataHeader: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(
            isInterleaved: try reader.read(), tsn: try reader.read(), stream: try reader.readUInt16(),
            number: try reader.readUInt32(), fragment: try reader.readUInt32(), payloadProtocol: try reader.read(),
            flags: Flags(rawValue: try reader.readUInt8()))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isInterleaved)
        writer.write(tsn)
        writer.writeUInt16(stream)
        writer.writeUInt32(number)
        writer.writeUInt32(fragment)
        writer.write(payloadProtocol)
        writer.writeUInt8(flags.rawValue)
    }
}

extension SCTPReceiver: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        window = Int(try reader.read(in: 0...1 << 30 as ClosedRange<UInt32>))
        largestMessage = Int(try reader.read(in: 0...1 << 30 as ClosedRange<UInt32>))
        tsns = try reader.read()
        reassembly = try reader.read()
        for _ in 0..<(try reader.readUInt32()) {
            let chunk: Deferred = try reader.read()
            deferredHeld += chunk.held
            deferred.append(chunk)
        }
        hasReceived = try reader.read()
        isDue = try reader.read()
        deadline = try reader.readOptional()
        advertised = try reader.readUInt32()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(UInt32(clamping: window))
        writer.writeUInt32(UInt32(clamping: largestMessage))
        writer.write(tsns)
        writer.write(reassembly)
        writer.writeUInt32(UInt32(clamping: deferred.count))
        for chunk in deferred { writer.write(chunk) }
        writer.write(hasReceived)
        writer.write(isDue)
        writer.writeOptional(deadline)
        writer.writeUInt32(advertised)
    }
}
