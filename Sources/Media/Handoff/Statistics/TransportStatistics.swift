/// A snapshot of one transport, taken by its shard.
public struct TransportStatistics: Sendable {
    /// Which transport.
    public var key: TransportKey
    /// ICE's state.
    public var iceState: ICEState = .new
    /// DTLS's state.
    public var dtlsState: DTLSState = .new
    /// Where packets are sent; `nil` before the first check.
    public var selectedTuple: TransportTuple?
    /// Its SCTP association; `nil` where there is none.
    public var data: DataTransportStatistics?
    /// A plain transport's addresses; `nil` for a WebRTC transport.
    public var plain: PlainTuples?
    /// The negotiated SRTP profile's name, once connected.
    public var srtpProfile: String?
    /// Bytes so far.
    public var bytes = TransportTraffic()
    /// Bits per second, recently.
    public var bitrates = TransportTraffic()
    /// Datagrams received, of every kind.
    public var packetsReceived: UInt64 = 0
    /// Datagrams sent, of every kind.
    public var packetsSent: UInt64 = 0
    /// RTP packets received and not taken, since the transport sent more than it may.
    public var packetsOverLimit: UInt64 = 0
    /// The share (0…1) of received packets that got lost on their way, by their transport-wide numbers; `nil` where the
    /// client does not number them.
    public var packetLossReceived: Double?
    /// The share (0…1) of sent packets that got lost on their way, by the client's feedback; `nil` before the first.
    public var packetLossSent: Double?
    /// What its client's network carries; `nil` if nothing says so.
    public var bandwidth: BandwidthState?
    /// What the client's network carries towards us, in bits per second, where REMB is what it goes by.
    public var availableIncoming: UInt64?
    /// What the client is asked to send at most, in bits per second.
    public var maximumIncoming: UInt64?
    /// What was known and decided of that lately; `nil` if it was not asked for, or nothing is known.
    public var history: BandwidthHistory?
    /// Whether what goes into its bandwidth machines is being written down.
    public var isRecording = false
    /// What has been written down; `nil` if it was not asked for, or nothing is.
    public var recording: [UInt8]?
    /// When this was written down.
    public var takenAt = MediaInstant(nanoseconds: 0)
    /// Its producers.
    public var producers: [ProducerStatistics] = []
    /// Its consumers.
    public var consumers: [ConsumerStatistics] = []

    /// Nothing counted yet.
    public init(key: TransportKey) { self.key = key }
}
