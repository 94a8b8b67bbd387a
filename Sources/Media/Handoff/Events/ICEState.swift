/// ICE states of an ICE-lite transport, as mediasoup names them.
public enum ICEState: String, Sendable, Hashable {
    case new, connected, completed, disconnected, closed
}
