/// Everything of a shard that has to do with data channels. Of a shard without any it is empty.
struct ShardData: ~Copyable {
    /// Bytes that all associations may hold of messages that are not whole, and of those they have not sent.
    static let largestHeld = 64 << 20
    static let largestQueued = 64 << 20
    /// What an association may always have waiting, whatever the others have.
    static let leastShare = 16_384
    /// Packets of one association before it is the next one's turn.
    static let packetsPerTurn = 64

    var associations = SlotMap<DataAssociation>()
    var producers = SlotMap<ShardDataProducer>()
    var consumers = SlotMap<ShardDataConsumer>()
    var producersByKey: [UInt64: Slot<ShardDataProducer>] = [:]
    var consumersByKey: [UInt64: Slot<ShardDataConsumer>] = [:]
    /// The consumers here of a producer, which may be on another shard.
    var feeds: [UInt64: [Slot<ShardDataConsumer>]] = [:]
    /// Associations that may have something to send.
    var pending: [Slot<DataAssociation>] = []
    /// What waits to be sent.
    let account = DataAccount()
    /// What is held of messages that are not whole.
    var held = 0

    /// What each association may have waiting when there is much in all.
    var share: Int { max(Self.largestQueued / 2 / max(associations.count, 1), Self.leastShare) }
    var heldShare: Int { Self.largestHeld / max(associations.count, 1) }
    var isCrowded: Bool { account.bytes > Self.largestQueued / 2 }
}
