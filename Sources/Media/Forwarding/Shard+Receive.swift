extension Shard {
    /// A datagram came in; it is decrypted in place.
    /// - Parameters:
    ///   - datagram: `nil` when it was longer than any we accept.
    ///   - remote: `nil` for a family other than IPv4 and IPv6.
    mutating func datagramReceived(
        _ datagram: UnsafeMutableRawBufferPointer?, from remote: IPAddressPort?, on socket: Int
    ) {
        counters.add(.datagramsReceived)
        guard let datagram else { return counters.add(.oversizedDatagram) }
        counters.add(.bytesReceived, UInt64(datagram.count))
        guard let remote else { return counters.add(.unknownDatagram) }
        if socket >= localAddresses.count { return plainDatagramReceived(datagram, from: remote, on: socket) }
        let key = TupleTable.Key(remote: remote, socket: UInt16(truncatingIfNeeded: socket))
        let bytes = UnsafeRawBufferPointer(datagram)
        let kind = DatagramKind.classify(bytes)
        switch kind {
        case .stun: return stunReceived(bytes, key: key)
        case .unknown: return counters.add(.unknownDatagram)
        case .dtls, .rtp, .rtcp: break
        }
        guard let number = tupleNumbers.find(key), let tuple = tuples[number] else {
            return counters.add(.unknownTuple)
        }
        let transport = tuple.transport
        let id = TupleID(UInt64(number))
        transport.pointee.traffic.received &+= UInt64(datagram.count)
        transport.pointee.packetsReceived &+= 1
        switch kind {
        case .dtls: dtlsReceived(bytes, on: transport, tuple: id)
        case .rtp: rtpReceived(datagram, on: transport, tuple: id)
        default: rtcpReceived(datagram, on: transport, tuple: id)
        }
    }

    /// A binding request: answered at once, on the tuple it came from.
    private mutating func stunReceived(_ bytes: UnsafeRawBufferPointer, key: TupleTable.Key) {
        counters.add(.stunRequests)
        let known = tupleNumbers.find(key)
        let addressed = transport(addressedBy: bytes, likely: known.flatMap { tuples[$0]?.transport })
        guard let owner = addressed.transport ?? known.flatMap({ tuples[$0]?.transport }) else {
            return counters.add(addressed.isWellFormed ? .unknownUsernameFragment : .malformedSTUN)
        }
        // A client may use its address for a new transport; the old one keeps the tuple until the check has passed.
        let isKnown = known.map { tuples[$0]?.transport == owner } ?? false
        let number = isKnown ? known ?? 0 : reserveTuple(key, transport: owner)
        let id = TupleID(UInt64(number))
        makeRoom()
        var reply = ByteWriter(UnsafeMutableRawBufferPointer(start: arena.next, count: 512))
        switch owner.pointee.ice.bindingRequestReceived(bytes, on: id, from: key.remote, at: now, reply: &reply) {
        case .succeeded: break
        case .rejected: counters.add(.stunRejected)
        case .ignored: counters.add(.malformedSTUN)
        }
        if reply.count > 0 {
            let destination = arena.addDestination(key.remote, socket: Int(key.socket))
            arena.commit(length: reply.count, to: destination)
            counters.add(.datagramsSent)
            counters.add(.bytesSent, UInt64(reply.count))
        }
        if !isKnown { keepTuple(number, ifAcceptedBy: owner, replacing: known) }
        iceAdvanced(owner)
        startHandshakeIfPossible(owner)
        touch(owner)
    }

    /// The transport whose user name fragment a binding request names, and whether it names one at all.
    /// - Parameter likely: the tuple's transport so far: nearly always the one, and found without making a string.
    private func transport(
        addressedBy bytes: UnsafeRawBufferPointer, likely: UnsafeMutablePointer<MediaTransport>?
    ) -> (transport: UnsafeMutablePointer<MediaTransport>?, isWellFormed: Bool) {
        guard let fragment = ICELiteAgent.localUsernameFragment(of: bytes) else { return (nil, false) }
        if let likely, likely.pointee.usernameFragments.contains(where: { $0.utf8.elementsEqual(fragment) }) {
            return (likely, true)
        }
        return (transportsByUsernameFragment[String(decoding: fragment, as: UTF8.self)], true)
    }

    /// A number for a tuple that no datagram finds yet.
    private mutating func reserveTuple(
        _ key: TupleTable.Key, transport: UnsafeMutablePointer<MediaTransport>
    ) -> Int {
        let number = freeTuples.popLast() ?? tuples.count
        if number == tuples.count { tuples.append(nil) }
        tuples[number] = Tuple(key: key, transport: transport)
        return number
    }

    /// Makes a reserved tuple known if the agent took it, else gives its number back.
    private mutating func keepTuple(
        _ number: Int, ifAcceptedBy owner: UnsafeMutablePointer<MediaTransport>, replacing known: Int?
    ) {
        guard let tuple = tuples[number] else { return }
        if owner.pointee.ice.hasTuple(TupleID(UInt64(number))) {
            if let known { takeTuple(known, for: owner) }
            if tupleNumbers.insert(tuple.key, number: number) { return }
            counters.add(.tableFull)
            owner.pointee.ice.tupleRemoved(TupleID(UInt64(number)), at: now)
        }
        tuples[number] = nil
        freeTuples.append(number)
    }

    /// Removes a tuple from the tables, if it is still there.
    private mutating func forgetTuple(_ number: Int) {
        guard let tuple = tuples[number] else { return }
        if tupleNumbers.find(tuple.key) == number { tupleNumbers.remove(tuple.key) }
        tuples[number] = nil
        freeTuples.append(number)
    }

    /// A valid check for another transport came from the tuple: it is that one's now. A transport that has lost its
    /// last tuple so waits to be heard from elsewhere, and its room learns which one replaced it.
    private mutating func takeTuple(_ number: Int, for owner: UnsafeMutablePointer<MediaTransport>) {
        guard let transport = tuples[number]?.transport else { return }
        forgetTuple(number)
        transport.pointee.ice.tupleRemoved(TupleID(UInt64(number)), at: now)
        iceAdvanced(transport)
        touch(transport)
        if transport.pointee.selected == nil {
            transport.pointee.events.append(.transportSuperseded(transport.pointee.key, by: owner.pointee.key))
        }
    }

    /// Carries out what the ICE agent has to say.
    mutating func iceAdvanced(_ transport: UnsafeMutablePointer<MediaTransport>) {
        while let event = transport.pointee.ice.pollEvent() {
            switch event {
            case .stateChanged(let state):
                transport.pointee.events.append(
                    .iceStateChanged(transport.pointee.key, state, selected: selectedTuple(of: transport)))
            case .selectedTupleChanged(let tuple): select(tuple, on: transport)
            case .pathRecovered:
                for consumer in transport.pointee.consumers where consumer.pointee.kind == .video {
                    consumerAskedForKeyFrame(consumer)
                }
            case .tupleDropped(let tuple): forgetTuple(Int(tuple.rawValue))
            case .usernameFragmentRetired(let fragment):
                transportsByUsernameFragment[fragment] = nil
                transport.pointee.usernameFragments.removeAll { $0 == fragment }
            }
        }
    }

    private mutating func select(_ id: TupleID?, on transport: UnsafeMutablePointer<MediaTransport>) {
        let wasReady = transport.pointee.isReady
        guard let id, let tuple = tuples[Int(id.rawValue)] else {
            transport.pointee.selected = nil
            return readinessChanged(transport)
        }
        transport.pointee.selected = id
        transport.pointee.selectedAddress = tuple.key.remote
        transport.pointee.selectedSocket = Int(tuple.key.socket)
        // What is queued already goes to the old address.
        transport.pointee.destination = .none
        if !wasReady { readinessChanged(transport) }
    }

    /// The selected tuple as events and statistics tell it.
    func selectedTuple(of transport: UnsafeMutablePointer<MediaTransport>) -> TransportTuple? {
        guard let id = transport.pointee.selected, let tuple = tuples[Int(id.rawValue)] else { return nil }
        let local = localAddresses[Int(tuple.key.socket)]
        return TransportTuple(
            localAddress: local.addressText, localPort: local.port, remoteAddress: tuple.key.remote.addressText,
            remotePort: tuple.key.remote.port, transport: .udp)
    }
}
