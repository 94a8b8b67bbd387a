/// `consume`: a consumer that flows from the start.
public struct ConsumeRequest: Sendable, Hashable {
    /// The transport the client receives on.
    public var transportID: TransportID
    /// What it wants.
    public var producerID: ProducerID
    /// What it can receive.
    public var rtpCapabilities: RTPCapabilities
    /// The client's media section; the room numbers consumers if it is absent.
    public var mid: String?
    /// Whether packets carry the capabilities' payload types and extension ids instead of the router's.
    public var usesClientIDs: Bool
    /// The layers to send at most; all if absent.
    public var preferredLayers: PreferredLayers?
    /// Whether lost packets are sent again, if the client can report what it lost.
    public var enableRTX = true
    /// Whether Opus packets of silence (DTX) are left out.
    public var ignoresDTX = false

    /// A request.
    public init(
        transportID: TransportID, producerID: ProducerID, rtpCapabilities: RTPCapabilities, mid: String? = nil,
        usesClientIDs: Bool = false
    ) {
        self.transportID = transportID
        self.producerID = producerID
        self.rtpCapabilities = rtpCapabilities
        self.mid = mid
        self.usesClientIDs = usesClientIDs
    }
}
