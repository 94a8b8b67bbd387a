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
    /// An operator sent it away, and keeps it out.
    case banned = "banned-by-an-operator"
    /// The room was closed.
    case roomClosed = "room-closed"
    /// The server stops.
    case shutdown
}
