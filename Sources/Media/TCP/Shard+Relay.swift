// Safe: a packet is decrypted in its own array, which nobody else has.

/// Clients of the TURN server: each way of one to an address of this shard is a connection, whose packets come without framing.
extension Shard {
    /// Takes what the gateway has for this shard.
    mutating func drainRelays() {
        // Bounded, so that relayed clients cannot keep the shard from its own sockets.
        for _ in 0..<256 {
            guard let message = links.relays.removeFirst() else { return }
            switch message {
            case .datagram(let path, let packet): relayed(packet, by: path)
            case .room(let path): if let number = path.number { connectionWritable(number) }
            case .closed(let path): if let number = path.number { connectionLost(number) }
            }
        }
    }

    private mutating func relayed(_ packet: [UInt8], by path: RelayPath) {
        path.taken(packet.count)
        guard let connection = connection(of: path) else { return path.end() }
        var packet = packet
        unsafe packet.withUnsafeMutableBytes { unsafe frameReceived($0, on: connection) }
    }

    private mutating func connection(of path: RelayPath) -> Slot<TCPConnection>? {
        if let number = path.number { return connections.connection(number) }
        guard !path.isOver else { return nil }
        guard let number = connections.insert(path.relayed, local: path.peer, origin: path.client, at: now) else {
            counters.add(.tcpConnectionsRefused)
            return nil
        }
        path.number = number
        counters.add(.relayedConnections)
        let connection = connections.connection(number)
        if let connection { connections.all[connection].relay = path }
        return connection
    }
}
