/// What a transport's SCTP association does.
public struct DataTransportStatistics: Sendable {
    /// Where it is.
    public var state: SCTPConnectionState
    /// Payload that waits to be sent, in bytes.
    public var bufferedAmount = 0
    /// Bytes that may be under way.
    public var congestionWindow = 0
    /// Bytes that are.
    public var flight = 0
    /// From the acknowledgements; `nil` before the first.
    public var roundTripTime: MediaDuration?
    /// Chunks that were sent again.
    public var retransmittedChunks: UInt64 = 0
    /// Messages whose time was over, or that were sent as often as they may be.
    public var expiredMessages: UInt64 = 0
    /// Messages that were longer than they may be, and were thrown away.
    public var oversizeMessages: UInt64 = 0
    /// What it receives.
    public var producers: [DataProducerStatistics] = []
    /// What it sends.
    public var consumers: [DataConsumerStatistics] = []

    init(state: SCTPConnectionState) { self.state = state }
}
