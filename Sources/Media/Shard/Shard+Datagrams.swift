extension Shard {
    /// A datagram came in; it is decrypted in place.
    /// - Parameters:
    ///   - datagram: `nil` when it was longer than any we accept.
    ///   - remote: `nil` for a family other than IPv4 and IPv6.
    mutating func datagramReceived(
        _ datagram: UnsafeMutableRawBufferPointer?, from remote: IPAddressPort?, on socket: Int
    ) {
        counters.add(.datagramsReceived)
        guard let datagram = unsafe datagram else { return counters.add(.oversizedDatagram) }
        counters.add(.bytesReceived, UInt64(datagram.count))
        guard let remote else { return counters.add(.unknownDatagram) }
        if socket >= Self.mostSockets, !TCPConnections.isConnection(socket) {
            return unsafe plainDatagramReceived(datagram, from: remote, on: socket)
        }
        unsafe take(datagram, from: remote, on: socket)
    }

    /// Gives a datagram to the transport that it is for.
    mutating func take(_ datagram: UnsafeMutableRawBufferPointer, from remote: IPAddressPort, on socket: Int) {
        let key = TupleTable.Key(remote: remote, socket: UInt16(truncatingIfNeeded: socket))
        let bytes = UnsafeRawBufferPointer(datagram)
        let kind = unsafe DatagramKind.classify(bytes)
        if links.sharesPort, kind != .unknown, unsafe handOn(bytes, kind, key) { return }
        switch kind {
        case .stun: return unsafe stunReceived(bytes, key: key)
        case .unknown: return counters.add(.unknownDatagram)
        case .dtls, .rtp, .rtcp: break
        }
        guard let number = tupleNumbers.find(key), let tuple = tuples[number] else {
            return counters.add(.unknownTuple)
        }
        let transport = tuple.transport
        guard case .webRTC(let webRTC) = transports[transport].association else { return counters.add(.unknownTuple) }
        let id = TupleID(number: number, isTCP: TCPConnections.isConnection(socket))
        transports[transport].traffic.received &+= UInt64(datagram.count)
        transports[transport].packetsReceived &+= 1
        switch kind {
        case .dtls: unsafe dtlsReceived(bytes, on: transport, webRTC, tuple: id)
        case .rtp: unsafe rtpReceived(datagram, on: transport, webRTC, tuple: id)
        default: unsafe rtcpReceived(datagram, on: transport, webRTC, tuple: id)
        }
    }

    /// Clients may reach the shard by another address from now on.
    mutating func listen(on socket: AttachedSocket) {
        guard let number = output.listen(on: socket) else { return ignored() }
        while localAddresses.count <= number { localAddresses.append(socket.address) }
        localAddresses[number] = socket.address
    }

    /// The machine has lost an address: whoever used it has to come by a different one.
    mutating func stopListening(on address: IPAddressPort) {
        guard let number = localAddresses.firstIndex(of: address) else { return ignored() }
        // What is queued names the socket by its number, which another may get.
        if !arena.isEmpty { flush() }
        output.detach(number)
    }

    /// A number for a tuple that no datagram finds yet.
    mutating func reserveTuple(
        _ key: TupleTable.Key, transport: Slot<MediaTransport>
    ) -> Int {
        let number = freeTuples.popLast() ?? tuples.count
        if number == tuples.count { tuples.append(nil) }
        tuples[number] = Tuple(key: key, transport: transport)
        return number
    }

    /// Makes a reserved tuple known if the agent took it, else gives its number back.
    mutating func keepTuple(
        _ number: Int, ifAcceptedBy owner: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>, replacing known: Int?
    ) {
        guard let tuple = tuples[number] else { return }
        let id = TupleID(number: number, isTCP: TCPConnections.isConnection(Int(tuple.key.socket)))
        if webRTCAssociations[webRTC].ice.hasTuple(id) {
            if let known { takeTuple(known, for: transports[owner].key) }
            if tupleNumbers.insert(tuple.key, number: number) { return }
            counters.add(.tableFull)
            webRTCAssociations[webRTC].ice.tupleRemoved(id, at: now)
        }
        tuples[number] = nil
        freeTuples.append(number)
    }

    /// Removes a tuple from the tables, if it is still there.
    mutating func forgetTuple(_ number: Int) {
        guard let tuple = tuples[number] else { return }
        if tupleNumbers.find(tuple.key) == number { tupleNumbers.remove(tuple.key) }
        tuples[number] = nil
        freeTuples.append(number)
    }
}
