/// The data channels of one association (RFC 8831, RFC 8832): numbers by DTLS role, opening, closing by the reset of
/// streams, and what a message's protocol identifier says.
///
/// Give it every event of the association; poll `pollEvent()` after each.
struct DataChannels {
    /// Channels that the peer may have open at a time, and bytes that all names may take.
    static let largestCount = 1024
    static let largestText = 262_144

    /// The DTLS client's channels have even numbers, the server's odd ones (RFC 8832 §6).
    let isClient: Bool
    /// A channel that the peer closes is closed on our side by `close(_:on:at:)`, not at once: until then its number stays
    /// the peer's. Not in snapshots: the owner says so.
    var waitsForOwner = false
    private(set) var channels: [UInt16: DataChannel] = [:]
    private var textCount = 0
    private var events: [DataChannelEvent] = []
    /// Messages for no channel, of no kind, or of DCEP without sense.
    private(set) var ignored: UInt64 = 0

    init(isClient: Bool) { self.isClient = isClient }

    /// What has happened, oldest first.
    mutating func pollEvent() -> DataChannelEvent? { events.isEmpty ? nil : events.removeFirst() }

    // MARK: The owner's wishes

    /// Opens a channel; messages may follow at once.
    /// - Parameter id: the number of one that both sides have agreed on elsewhere.
    /// - Returns: its number; `nil` when there is none, or it is taken, or the association takes nothing more.
    mutating func open(
        _ open: DataChannelOpen, id: UInt16? = nil, on association: inout SCTPAssociation, at now: MediaInstant
    ) -> UInt16? {
        let limit = min(association.outgoingStreams, association.incomingStreams)
        guard let id else {
            return firstFree(below: limit).flatMap { self.open(open, as: $0, on: &association, at: now) ? $0 : nil }
        }
        guard id < limit, id < .max, channels[id] == nil else { return nil }
        association.setPriority(open.priority, of: id)
        insert(DataChannel(open: open, isNegotiated: true, isAcknowledged: true), id)
        return id
    }

    /// Opens a channel with one of our numbers.
    /// - Returns: whether it could be: the number was free and ours, and the association takes what opens it.
    mutating func open(
        _ open: DataChannelOpen, as number: UInt16, on association: inout SCTPAssociation, at now: MediaInstant
    ) -> Bool {
        guard number < min(association.outgoingStreams, association.incomingStreams, .max), !isTheirs(number),
            channels[number] == nil
        else { return false }
        let message = SCTPMessage(stream: number, payloadProtocol: .control, payload: open.bytes)
        guard association.send(message, at: now) == .queued else { return false }
        association.setPriority(open.priority, of: number)
        insert(DataChannel(open: open, isNegotiated: false, isAcknowledged: false), number)
        return true
    }

    private func isTheirs(_ id: UInt16) -> Bool { (id % 2 == 0) != isClient }

    /// Whether the peer has opened the channel, and it goes on.
    func isOpenedByPeer(_ id: UInt16) -> Bool { isTheirs(id) && channels[id]?.isClosing == false }

    /// Whether the peer has closed its side.
    func isClosedByPeer(_ id: UInt16) -> Bool { channels[id]?.isIncomingReset ?? true }

    /// Whether nothing may overtake what was sent before on a channel of ours (RFC 8832 §6).
    func isUnanswered(_ id: UInt16) -> Bool { channels[id]?.isAcknowledged == false }

    private func firstFree(below limit: UInt16) -> UInt16? {
        stride(from: isClient ? 0 as UInt16 : 1, to: min(limit, .max), by: 2).first { channels[$0] == nil }
    }

    mutating func send(
        _ message: DataChannelMessage, on id: UInt16, to association: inout SCTPAssociation, at now: MediaInstant
    ) -> SCTPSendResult {
        guard let channel = channels[id], !channel.isClosing else { return .closed }
        // Until the peer has answered, nothing may overtake the opening (RFC 8832 §6).
        let isUnordered = !channel.open.isOrdered && channel.isAcknowledged
        return association.send(
            message.message(on: id, isUnordered: isUnordered), reliability: channel.open.reliability, at: now)
    }

    /// Closes a channel: it is over when both sides have reset their streams (RFC 8831 §6.7).
    mutating func close(_ id: UInt16, on association: inout SCTPAssociation, at now: MediaInstant) {
        guard channels[id]?.isClosing == false else { return }
        channels[id]?.isClosing = true
        if !association.resetStreams([id], at: now) { remove(id) }
    }

    private mutating func insert(_ channel: DataChannel, _ id: UInt16) {
        channels[id] = channel
        textCount += channel.textCount
    }

    private mutating func remove(_ id: UInt16) {
        guard let channel = channels.removeValue(forKey: id) else { return }
        textCount -= channel.textCount
        events.append(.closed(id))
    }

    // MARK: What the association says

    mutating func received(_ event: SCTPEvent, from association: inout SCTPAssociation, at now: MediaInstant) {
        switch event {
        case .messageReceived(let message): messageReceived(message, from: &association, at: now)
        case .incomingStreamsReset(let streams):
            for id in streams.isEmpty ? channels.keys.sorted() : streams where channels[id] != nil {
                channels[id]?.isIncomingReset = true
                if !waitsForOwner { close(id, on: &association, at: now) }
                removeIfOver(id)
            }
        case .outgoingStreamsReset(let streams), .outgoingResetRefused(let streams):
            for id in streams { resetConfirmed(id) }
        case .bufferedAmountLow(let stream):
            if channels[stream] != nil { events.append(.bufferedAmountLow(stream)) }
        case .restarted, .closed: for id in channels.keys.sorted() { remove(id) }
        case .connected, .outgoingStreams: break
        }
    }

    private mutating func resetConfirmed(_ id: UInt16) {
        guard let channel = channels[id] else { return }
        if channel.staleResets > 0 {
            channels[id]?.staleResets -= 1
        } else if channel.isClosing {
            channels[id]?.isOutgoingReset = true
            removeIfOver(id)
        }
    }

    private mutating func removeIfOver(_ id: UInt16) {
        guard let channel = channels[id], channel.isOutgoingReset, channel.isIncomingReset else { return }
        remove(id)
    }

    private mutating func messageReceived(
        _ message: SCTPMessage, from association: inout SCTPAssociation, at now: MediaInstant
    ) {
        if message.payloadProtocol == .control {
            controlReceived(message, from: &association, at: now)
            return
        }
        guard let channel = channels[message.stream], let content = DataChannelMessage(message) else {
            ignored &+= 1
            return
        }
        if !channel.isAcknowledged { acknowledge(message.stream) }
        events.append(.messageReceived(message.stream, content))
    }

    /// The peer has answered, or sends on the channel, so that it has heard of it.
    mutating func acknowledge(_ id: UInt16) {
        guard channels[id]?.isAcknowledged == false else { return }
        channels[id]?.isAcknowledged = true
        events.append(.acknowledged(id))
    }

    private mutating func controlReceived(
        _ message: SCTPMessage, from association: inout SCTPAssociation, at now: MediaInstant
    ) {
        let id = message.stream
        // DATA_CHANNEL_ACK (RFC 8832 §5.2).
        if message.payload == [2] {
            if channels[id] == nil { ignored &+= 1 }
            acknowledge(id)
            return
        }
        guard let open = try? DataChannelOpen(parsing: message.payload) else {
            ignored &+= 1
            return
        }
        var channel = DataChannel(open: open, isNegotiated: false, isAcknowledged: true)
        if let old = channels[id], old.isClosing, old.isIncomingReset {
            // The peer uses the number again, so that it has seen our reset; only its answer is still missing.
            channel.staleResets = min(old.staleResets, 100) + 1
            remove(id)
        }
        guard channels[id] == nil, isTheirs(id), channels.count < Self.largestCount,
            textCount + channel.textCount <= Self.largestText
        else {
            // One that may not be is closed at once (RFC 8832 §6); a channel that is there stays.
            ignored &+= 1
            if channels[id] == nil { _ = association.resetStreams([id], at: now) }
            return
        }
        let answer = SCTPMessage(stream: id, payloadProtocol: .control, payload: [2])
        guard association.send(answer, at: now) == .queued else {
            _ = association.resetStreams([id], at: now)
            return
        }
        association.setPriority(open.priority, of: id)
        insert(channel, id)
        events.append(.opened(id, open))
    }
}

// MARK: Snapshot

extension DataChannels: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isClient = try reader.read()
        ignored = try reader.readCounter()
        var last = -1
        for _ in 0..<(try reader.readUInt16()) {
            let id = try reader.readUInt16()
            guard Int(id) > last else { throw .malformed }
            last = Int(id)
            insert(try reader.read(), id)
        }
    }

    /// Events are polled after each input, so that none is left to be written down.
    func write(to writer: inout SnapshotWriter) {
        writer.write(isClient)
        writer.write(ignored)
        writer.writeUInt16(UInt16(clamping: channels.count))
        for (id, channel) in channels.sorted(by: { $0.key < $1.key }) {
            writer.writeUInt16(id)
            writer.write(channel)
        }
    }
}
