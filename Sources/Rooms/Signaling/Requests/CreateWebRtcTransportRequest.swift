/// `createWebRtcTransport`.
public struct CreateWebRtcTransportRequest: Sendable, Hashable {
    /// Which candidates the client gets.
    public var candidates: CandidateSelection
    /// The client will send on it.
    public var producing: Bool
    /// The client will receive on it.
    public var consuming: Bool

    /// What the client wants of data channels; `nil` for none.
    public var dataChannels: DataChannelsRequest?

    /// A request.
    public init(
        candidates: CandidateSelection = CandidateSelection(), producing: Bool, consuming: Bool,
        dataChannels: DataChannelsRequest? = nil
    ) {
        self.candidates = candidates
        self.producing = producing
        self.consuming = consuming
        self.dataChannels = dataChannels
    }
}
