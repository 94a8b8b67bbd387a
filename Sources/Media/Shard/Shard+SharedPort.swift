// Safe: a datagram lies in the ring of the shard that sent it until the message is advanced over, and nobody else looks at
// it there; a connection's first bytes are copied within the lengths that were compared.

/// One port for all shards: each has a socket bound to it, and hands on what is for another.
extension Shard {
    /// The shard that a check names; `nil` if it names none that there is.
    private func shard(namedBy check: UnsafeRawBufferPointer) -> Int? {
        guard let fragment = unsafe ICELiteAgent.localUsernameFragment(of: check),
            let shard = unsafe ICECredentials.shard(namedBy: fragment), shard < links.count
        else { return nil }
        return shard
    }

    // MARK: Datagrams

    /// Hands a datagram on if it belongs to a different shard.
    /// - Returns: whether it does.
    mutating func handOn(_ datagram: UnsafeRawBufferPointer, _ kind: DatagramKind, _ key: TupleTable.Key) -> Bool {
        // What was handed on is not sent back.
        guard links.sharesPort, forwardedBy == nil, !TCPConnections.isConnection(Int(key.socket)) else { return false }
        if kind == .stun, let shard = unsafe shard(namedBy: datagram) {
            guard shard != index else { return false }
            unsafe handOn(datagram, key, to: shard)
            return true
        }
        guard tupleNumbers.find(key) == nil else { return false }
        var shard = otherTuples.shard(of: key, at: now)
        if shard == nil {
            // The claim may have come after this tick began, with the answer that the client already has.
            drainRings()
            shard = otherTuples.shard(of: key, at: now)
        }
        guard let shard else { return false }
        unsafe handOn(datagram, key, to: shard)
        return true
    }

    private func handOn(_ datagram: UnsafeRawBufferPointer, _ key: TupleTable.Key, to shard: Int) {
        counters.add(.datagramsHandedOn)
        unsafe send(.datagram(datagram, from: key.remote, to: localAddresses[Int(key.socket)]), to: shard)
    }

    /// Another shard's socket got a datagram for this one.
    mutating func handedOn(
        _ datagram: UnsafeRawBufferPointer, from remote: IPAddressPort, to local: IPAddressPort, by shard: Int
    ) {
        guard let socket = localAddresses.firstIndex(of: local) else { return counters.add(.unknownTuple) }
        forwardedBy = shard
        unsafe take(UnsafeMutableRawBufferPointer(mutating: datagram), from: remote, on: socket)
        forwardedBy = nil
    }

    /// A valid check has come from a tuple: what follows is to be handed on to here, too.
    func claimTuple(_ key: TupleTable.Key, for owner: Slot<MediaTransport>) {
        guard let forwardedBy else { return }
        send(
            .tupleClaimed(
                from: key.remote, to: localAddresses[Int(key.socket)], owner: transports[owner].key.rawValue),
            to: forwardedBy)
        // Before the client has its answer.
        links.publish()
    }

    /// Another shard has a tuple of this one's sockets.
    mutating func tupleClaimed(
        from remote: IPAddressPort, to local: IPAddressPort, for owner: TransportKey, by shard: Int
    ) {
        guard let socket = localAddresses.firstIndex(of: local) else { return }
        let key = TupleTable.Key(remote: remote, socket: UInt16(truncatingIfNeeded: socket))
        // A client may use its address for a new transport.
        if let number = tupleNumbers.find(key) { takeTuple(number, for: owner) }
        otherTuples.claimed(key, by: shard, at: now)
    }

    // MARK: Connections

    /// Hands a connection on whose first packet is for another shard.
    /// - Parameters:
    ///   - frame: the packet.
    ///   - rest: what came behind it.
    /// - Returns: whether it belongs to a different one.
    mutating func handOn(
        _ connection: Slot<TCPConnection>, _ frame: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer
    ) -> Bool {
        guard links.sharesPort, connections.all[connection].relay == nil, let shard = unsafe shard(namedBy: frame),
            shard != index
        else { return false }
        let number = TCPConnections.number(of: connection)
        guard let descriptor = output.releaseConnection(number) else { return false }
        var bytes: [UInt8] = [UInt8(truncatingIfNeeded: frame.count >> 8), UInt8(truncatingIfNeeded: frame.count)]
        unsafe bytes.append(contentsOf: frame)
        unsafe bytes.append(contentsOf: rest)
        let handed = HandedConnection(
            descriptor: descriptor, remote: connections.all[connection].remote,
            local: connections.all[connection].local, bytes: bytes)
        connections.remove(connection)
        counters.add(.tcpConnectionsHandedOn)
        if !links.send(.takeConnection(handed), to: shard) { counters.add(.ringFull) }
        return true
    }

    /// Another shard's listener got a connection for this one.
    mutating func takeConnection(_ handed: HandedConnection) {
        guard let number = connectionAccepted(from: handed.remote, to: handed.local) else { return }
        guard output.keepConnection(handed.take(), as: number) else { return connectionLost(number) }
        var bytes = handed.bytes
        unsafe bytes.withUnsafeMutableBytes { unsafe streamReceived($0, on: number) }
    }
}
