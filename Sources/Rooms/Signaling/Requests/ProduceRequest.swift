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
