/// What a shard has to do about a packet of an incoming stream.
struct IncomingStep: Equatable {
    enum Verdict: Equatable {
        /// It goes to the producer's consumers.
        case forward(IncomingPacket)
        case drop(DropReason)
    }

    /// What else follows, to be done before the packet is forwarded.
    struct Effects: OptionSet {
        let rawValue: UInt8
        /// The sender restarted its numbering: nothing that was known of the encoding holds.
        static let restarted = Effects(rawValue: 1)
        /// Ask the sender for a key frame now.
        static let requestsKeyFrame = Effects(rawValue: 2)
        /// The producer's score changed.
        static let changesScore = Effects(rawValue: 4)
        /// The stream's deadline may have moved.
        static let movesDeadline = Effects(rawValue: 8)
    }

    var verdict: Verdict
    var effects: Effects = []
}
