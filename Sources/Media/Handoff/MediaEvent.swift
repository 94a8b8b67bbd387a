/// What a shard tells a room.
public enum MediaEvent: Sendable {
    case iceStateChanged(TransportKey, ICEState, selected: TransportTuple?)
    case dtlsStateChanged(TransportKey, DTLSState)
    /// The plane could not carry out a command (its message says which and why).
    case commandFailed(TransportKey, MediaError)
    case statistics(token: UInt64, [TransportStatistics])
}

/// ICE states of an ICE-lite transport, as mediasoup names them.
public enum ICEState: String, Sendable, Hashable {
    case new, connected, completed, disconnected, closed
}

/// DTLS states, as mediasoup names them.
public enum DTLSState: String, Sendable, Hashable {
    case new, connecting, connected, failed, closed
}

/// The server's side of the DTLS handshake.
public enum DTLSRole: String, Sendable, Hashable {
    case auto, client, server
}
