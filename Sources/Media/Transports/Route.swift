/// Where a transport's datagrams leave.
enum Route: Equatable {
    /// Nowhere yet, or no more.
    case none
    /// By one of the shard's sockets, or the transport's own.
    case udp(socket: Int, remote: IPAddressPort)
    /// By a connection that the client has opened.
    case tcp(connection: Int, remote: IPAddressPort)

    var isTCP: Bool { if case .tcp = self { true } else { false } }

    /// Where the client is.
    var remote: IPAddressPort? {
        switch self {
        case .none: nil
        case .udp(_, let remote), .tcp(_, let remote): remote
        }
    }
}
