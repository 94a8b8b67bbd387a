public import RoundhouseMedia

/// `produce`.
public struct ProduceRequest: Sendable {
    /// The transport the client sends on.
    public var transportID: TransportID
    /// Audio or video.
    public var kind: MediaKind
    /// What the client sends.
    public var rtpParameters: RTPParameters
    /// Whether it starts paused.
    public var isPaused: Bool
    /// Anything the client wants the others to know: a JSON object.
    public var appData: JSONValue

    /// Bytes that `appData` may have as JSON; a client's has a few dozen.
    static let appDataBytes = 4096
    /// Bytes that `rtpParameters` may have as JSON; a browser's has two thousand.
    static let parametersBytes = 16_384

    /// A request.
    public init(
        transportID: TransportID, kind: MediaKind, rtpParameters: RTPParameters, isPaused: Bool = false,
        appData: JSONValue = .object([:])
    ) {
        self.transportID = transportID
        self.kind = kind
        self.rtpParameters = rtpParameters
        self.isPaused = isPaused
        self.appData = appData
    }
}
