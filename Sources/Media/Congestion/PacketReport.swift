/// What the first report of a packet's arrival, or of its loss, tells.
struct PacketReport: Equatable {
    /// Bytes on the wire.
    var size: Int
    var sentAt: MediaInstant
    var isLost: Bool
    /// On the timeline of arrivals, in nanoseconds; zero for a lost packet.
    var arrivedAt: Int64
    /// How long it was expected to wait behind packets of its own transport, in nanoseconds.
    var ownQueue: Int64

    /// How long it took, on a scale whose zero nobody knows, in nanoseconds.
    var delay: Int64 { arrivedAt &- Int64(truncatingIfNeeded: sentAt.nanoseconds) }
}
