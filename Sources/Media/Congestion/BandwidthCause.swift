/// Why an estimate is what it is: what changed it last.
public enum BandwidthCause: UInt8, Sendable {
    case start = 0
    /// The path carries what is sent, and more is tried bit by bit.
    case rampUp = 1
    /// The queue grew, or stands.
    case delayOveruse = 2
    /// A queue stands that is not ours: backing off did not lower it.
    case foreignQueue = 3
    /// Packets are lost because too much is sent.
    case lossCongestion = 4
    /// Packets are lost however much is sent.
    case lossRandomTolerated = 5
    /// The path drops, without any queue, what exceeds a rate.
    case policer = 6
    /// Packets are sent and nothing is heard of them.
    case feedbackSilence = 7
    case rttHigh = 8
    /// A probe has shown that the path carries more.
    case probeRaised = 9
    /// A probe has shown that the path carries less than was wanted.
    case probeFailed = 10
    /// Less is sent than the path is believed to carry, so nothing is learned.
    case appLimitedHold = 11
    /// The receiver's own estimate (REMB) is the limit.
    case remb = 12
    case maxOutgoing = 13
    case minOutgoing = 14
    case remembered = 15
    /// The receiver is reached by another path, of which nothing is known.
    case routeChanged = 16
    /// What reduced the estimate is over.
    case restored = 17
}

// MARK: Snapshot

extension BandwidthCause: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let cause = BandwidthCause(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = cause
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
