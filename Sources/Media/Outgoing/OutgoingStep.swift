/// What a shard has to do for one consumer about a packet of its producer.
enum OutgoingStep: Equatable {
    /// Nothing: the packet is not for this consumer, or is left out of its numbering.
    case drop
    /// Nothing, and that counts.
    case refuse(DropReason)
    case send(OutgoingPacket)
    /// Sends the first packet of a source, then the packets that were held because they came before it.
    case begin(OutgoingPacket, isScoreReset: Bool)
    /// Asks for the key frame that the consumer waits for. The packet is held in the feed's cache, if at all.
    case awaitKeyFrame(isStarting: Bool)
    /// Asks for a key frame of the encoding being sent, which cannot be continued.
    case requestKeyFrame(encoding: Int)
    /// The consumer is being sent the feed's cached packets.
    case catchUp(CatchUp)

    enum CatchUp: Equatable {
        /// The packet waits in the cache for its turn: send what comes before it.
        case sendCached
        /// It is older than what was sent of the cache: send it, then more of the cache.
        case sendMissing
        /// It lies beyond the cache: go on with it.
        case leaveCache
    }
}
