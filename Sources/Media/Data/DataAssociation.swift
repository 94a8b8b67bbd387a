/// A transport's SCTP association with the data producers and consumers on its streams.
struct DataAssociation: ~Copyable {
    let transport: Slot<MediaTransport>
    var sctp: SCTPAssociation
    /// By the client's streams, and by ours.
    var producers: [UInt16: Slot<ShardDataProducer>] = [:]
    var consumers: [UInt16: Slot<ShardDataConsumer>] = [:]
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

    init(transport: Slot<MediaTransport>, sctp: consuming SCTPAssociation) {
        self.transport = transport
        self.sctp = sctp
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
