/// A transport's SCTP association with the data producers and consumers on its streams.
struct DataAssociation: ~Copyable {
    let transport: Slot<MediaTransport>
    var sctp: SCTPAssociation
    /// By the client's streams, and by ours.
    var producers: [UInt16: Slot<ShardDataProducer>] = [:]
    var consumers: [UInt16: Slot<ShardDataConsumer>] = [:]
    /// Where channels are opened in band, and what came on them before they had data producers.
    var channels: DataChannels?
    var early = EarlyDataMessages()
    /// When the first of the producers that hold messages lets them go.
    var flushesAt: MediaInstant?
    /// Of one data producer.
    let messageRate: IngressRate
    /// As the room knows it. Not in snapshots: a room hears of a restored one's state when it changes.
    var reportedState = SCTPConnectionState.new
    /// Why the one before has ended.
    var hasFailed = false
    /// What it held of messages that are not whole when that was counted last.
    var heldBytes = 0
    /// What it may send beside pictures, in bits per second, and since when. Not in snapshots: it begins low again.
    var rate: UInt64 = 0
    var rateAt = MediaInstant(nanoseconds: 0)
    /// When what was sent would have left at this rate. Not in snapshots: it is little.
    var sentUntil = MediaInstant(nanoseconds: 0)
    /// When it goes on, while it is held back by that.
    var resumesAt: MediaInstant?
    /// Whether the shard has it among those that may have something to send.
    var isPending = false

    init(transport: Slot<MediaTransport>, settings: DataTransportSettings, sctp: consuming SCTPAssociation) {
        self.transport = transport
        self.sctp = sctp
        messageRate = IngressRate(packetsPerSecond: Int(settings.messagesPerSecond))
        guard let role = settings.inBandRole else { return }
        var channels = DataChannels(isClient: role == .client)
        // The room says when a channel that its client has closed is over on our side, so that no number has two producers.
        channels.waitsForOwner = true
        self.channels = channels
    }

    /// What it holds for its client, in bytes.
    var held: Int { sctp.heldBytes + early.bytes }

    /// Gives the channels what concerns them.
    /// - Returns: whether it concerns nobody else.
    mutating func channelsReceived(_ event: SCTPEvent, at now: MediaInstant) -> Bool {
        guard channels != nil else { return false }
        if case .messageReceived(let message) = event, message.payloadProtocol != .control {
            channels?.acknowledge(message.stream)
            return false
        }
        channels?.received(event, from: &sctp, at: now)
        if case .messageReceived = event { return true }
        return false
    }

    /// Opens a channel for a data consumer.
    /// - Returns: whether there is one now.
    mutating func openChannel(_ settings: DataConsumerSettings, at now: MediaInstant) -> Bool {
        guard channels != nil else { return true }
        let open = DataChannelOpen(
            label: settings.label, subprotocol: settings.protocolName, isOrdered: settings.isOrdered,
            reliability: settings.reliability)
        return channels?.open(open, as: settings.stream, on: &sctp, at: now) ?? true
    }

    /// Closes our side of a channel, or of a stream that signaling gave.
    /// - Returns: whether the association has something to do.
    mutating func close(_ stream: UInt16, at now: MediaInstant) -> Bool {
        guard channels != nil else { return sctp.resetStreams([stream], at: now) }
        channels?.close(stream, on: &sctp, at: now)
        return true
    }

    var isUsed: Bool { !producers.isEmpty || !consumers.isEmpty }

    var state: SCTPConnectionState {
        switch sctp.state {
        case .closed: sctp.isOver ? (hasFailed ? .failed : .closed) : .new
        case .cookieWait, .cookieEchoed: .connecting
        case .established, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent: .connected
        }
    }
}
