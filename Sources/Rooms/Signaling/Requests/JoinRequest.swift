/// `join`: from here on the peer is seen by others.
public struct JoinRequest: Sendable, Hashable {
    /// For people; at most 256 bytes.
    public var displayName: String
    /// The client's program.
    public var device: DeviceDescription
    /// What the client can receive; without them it gets no consumers.
    public var rtpCapabilities: RTPCapabilities?
    /// The client hears of producers (`newProducers`) and asks for its consumers itself (`consume`); it is offered none.
    public var consumesOnRequest: Bool
    /// When the client closes a transport's DTLS, only what is on this transport ends; else the peer leaves.
    public var outlivesTransports: Bool

    /// The client takes data consumers.
    public var receivesData = false
    /// It takes that of mediasoup-demo's bot, too.
    public var wantsBot = false
    /// It has no data channels: it is notified of others' texts (`dataMessage`).
    public var getsDataBySignaling = false
    /// It is notified of how many of its encodings are of use to somebody (`producerEncodingsUsed`).
    public var getsEncodingUse = false

    /// A request.
    public init(
        displayName: String, device: DeviceDescription = .init(), rtpCapabilities: RTPCapabilities? = nil,
        consumesOnRequest: Bool = false, outlivesTransports: Bool = false
    ) {
        self.displayName = displayName
        self.device = device
        self.rtpCapabilities = rtpCapabilities
        self.consumesOnRequest = consumesOnRequest
        self.outlivesTransports = outlivesTransports
    }
}
