import RoundhouseRooms

/// What carries a session's messages to its client at present.
///
/// Every method returns at once, and keeps the order of calls.
protocol SignalingChannel: Sendable {
    /// - Parameter number: the message's, if the session numbers them.
    func send(_ text: String, number: UInt64?)

    /// The peer has left its room: ends the channel after what was sent.
    func close(_ reason: PeerCloseReason)

    /// The client goes on by another channel.
    func superseded()

    /// Whether the client has not answered lately.
    var isUnheard: Bool { get }
}

extension SignalingChannel {
    /// For channels on which the client is asked nothing.
    var isUnheard: Bool { false }
}

extension WebSocketConnection: SignalingChannel {
    func send(_ text: String, number: UInt64?) { send(text) }

    func close(_ reason: PeerCloseReason) { close(reason.closeCode, reason: reason.closeReason) }

    func superseded() { close(.closedByServer, reason: "closed by protoo-server: resumed-by-a-newer-connection") }
}

extension EngineConnection: SignalingChannel {
    func send(_ text: String, number: UInt64?) { send(text) }

    func close(_ reason: PeerCloseReason) {
        // A client that is sent away by name does not come back by itself.
        if reason != .shutdown { send(SocketIOPacket(kind: .disconnect).text) }
        close()
    }

    func superseded() { close() }
}

extension PeerCloseReason {
    /// 4000 makes a protoo client stay away; after a stop of the server it may come back.
    var closeCode: WebSocketCloseCode {
        switch self {
        case .disconnected, .left: .normal
        case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .banned, .roomClosed: .closedByServer
        case .shutdown: .goingAway
        }
    }

    var closeReason: String {
        switch self {
        case .disconnected, .left: ""
        case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .banned, .roomClosed:
            "closed by protoo-server: \(rawValue)"
        case .shutdown: "the server is stopping"
        }
    }
}
