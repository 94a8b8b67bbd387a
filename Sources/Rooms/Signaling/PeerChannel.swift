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
}

extension PeerChannel {
    /// Accepts nothing: for a peer that consumes on request, which is asked nothing.
    public func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        completion(.rejected)
    }
}

/// What became of a `ServerRequest`.
public enum ServerRequestOutcome: Sendable, Hashable {
    case accepted
    /// The client refused, or did not answer in time.
    case rejected
    /// The connection was lost first.
    case disconnected
}

/// Why a peer left its room.
public enum PeerCloseReason: String, Sendable, Hashable, CaseIterable {
    /// The connection's owner said that it is gone.
    case disconnected
    /// The client left the room; its connection may go on.
    case left
    /// The same peer connected again; the newer connection has taken its place.
    case replaced = "replaced-by-a-newer-connection"
    /// No valid connectivity check in time (RFC 7675), or ICE closed.
    case iceDisconnected = "ice-disconnected"
    /// The DTLS handshake failed.
    case dtlsFailed = "dtls-failed"
    /// The client closed DTLS.
    case dtlsClosed = "dtls-closed"
    /// An operator sent it away.
    case kicked = "kicked-by-an-operator"
    /// The room was closed.
    case roomClosed = "room-closed"
    /// The server stops.
    case shutdown
}
