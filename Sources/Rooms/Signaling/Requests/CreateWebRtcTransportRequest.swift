/// `createWebRtcTransport`.
public struct CreateWebRtcTransportRequest: Sendable, Hashable {
    /// Only TCP candidates are wanted.
    public var forceTcp: Bool
    /// The client will send on it.
    public var producing: Bool
    /// The client will receive on it.
    public var consuming: Bool

    /// What the client wants of data channels; `nil` for none.
    public var dataChannels: DataChannelsRequest?

    /// A request.
    public init(forceTcp: Bool = false, producing: Bool, consuming: Bool, dataChannels: DataChannelsRequest? = nil) {
        self.forceTcp = forceTcp
        self.producing = producing
        self.consuming = consuming
        self.dataChannels = dataChannels
    }
}
