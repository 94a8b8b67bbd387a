/// A room's way to one connected client; a dialect implements it.
///
/// Every method returns at once, may be called from the room's actor only, and keeps the order of calls on the wire.
public protocol PeerChannel: Sendable {
    /// Sends a notification.
    func notify(_ notification: ServerNotification)

    /// Sends a request. `completion` is called exactly once, from any thread, also when the connection is lost.
    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void)

    /// The peer has left the room: close the connection after what was sent. Called at most once, and last.
    func close(_ reason: PeerCloseReason)

    /// Whether the client has not answered lately: it may have gone without a word.
    var isUnheard: Bool { get }
}

extension PeerChannel {
    /// For a client that nothing watches over.
    public var isUnheard: Bool { false }

    /// Accepts nothing: for a peer that consumes on request, which is asked nothing.
    public func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        completion(.rejected)
    }
}
