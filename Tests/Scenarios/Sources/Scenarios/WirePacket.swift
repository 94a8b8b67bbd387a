@testable import RoundhouseMedia

/// A packet on its way. Times are in seconds.
struct WirePacket {
    /// Without cycles taken off.
    var number: Int
    var size: Int
    var kind: SentKind
    var sentAt: Double
    /// Of the frame it belongs to; negative: of none.
    var frame = -1
    /// How long it waited in the bottleneck.
    var waited = 0.0
}
