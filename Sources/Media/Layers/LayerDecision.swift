/// What becomes of a packet for one consumer.
struct LayerDecision: Hashable, Sendable {
    enum Action: UInt8, Hashable, Sendable {
        /// Not of the source being sent: nothing to do.
        case discard
        /// Of the source being sent, but left out: close the gap in the numbering, or fill it where a newer packet was
        /// sent already.
        case drop
        case forward
        /// The first packet of a source: synchronize the numbering, then forward.
        case begin
        /// Of the encoding that is waited for: `begin` may later ask for it again.
        case hold
    }

    var action: Action
    /// The packet is the last that this consumer gets of the picture: it needs the RTP marker.
    var setsMarker = false

    /// Whether the packet is of what was being sent already.
    var isOfCurrent: Bool { action == .forward || action == .drop }

    static let discard = LayerDecision(action: .discard)
    static let drop = LayerDecision(action: .drop)
    static let forward = LayerDecision(action: .forward)
    static let begin = LayerDecision(action: .begin)
    static let hold = LayerDecision(action: .hold)
}
