/// Where a transport's datagrams leave.
enum Route: Equatable {
    /// Nowhere yet, or no more.
    case none
    /// By one of the shard's sockets, or the transport's own.
    case udp(socket: Int, remote: IPAddressPort)
}
