public import RoundhouseMedia

/// Something a peer sends to its room.
public struct Publication: Sendable, Hashable {
    /// Whose it is.
    public var peerID: PeerID
    /// Which one.
    public var producerID: ProducerID
    /// Audio or video.
    public var kind: MediaKind
    /// Whether its peer paused it.
    public var isPaused: Bool
    /// As it can be consumed, in the router's numbers.
    public var rtpParameters: RTPParameters
    /// What the peer wants the others to know.
    public var appData: JSONValue
}
