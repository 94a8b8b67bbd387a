// Safe: a reply is written into the batcher's memory, which has room for the largest datagram after `ensureCapacity`.

/// ICE and DTLS of WebRTC transports: what comes in is given to their machines, and what these say is carried out.
extension Shard {
    mutating func deadlineReached(_ webRTC: Slot<WebRTCAssociation>, of transport: Slot<MediaTransport>) {
        if let deadline = webRTCAssociations[webRTC].ice.nextDeadline, deadline <= now {
            webRTCAssociations[webRTC].ice.deadlineReached(now)
            iceAdvanced(transport, webRTC)
        }
        if let deadline = webRTCAssociations[webRTC].dtls.nextDeadline, deadline <= now {
            webRTCAssociations[webRTC].dtls.deadlineReached(at: now)
            dtlsAdvanced(transport, webRTC)
        }
        if let association = webRTCAssociations[webRTC].data { dataDeadlineReached(association) }
    }

    mutating func close(_ webRTC: Slot<WebRTCAssociation>, of transport: Slot<MediaTransport>) {
        closeData(of: webRTC)
        webRTCAssociations[webRTC].dtls.close()
        dtlsAdvanced(transport, webRTC)
        webRTCAssociations[webRTC].ice.close()
        iceAdvanced(transport, webRTC)
        for fragment in webRTCAssociations[webRTC].usernameFragments { transportsByUsernameFragment[fragment] = nil }
        webRTCAssociations.remove(webRTC)
    }

    // MARK: ICE

    /// A binding request: answered at once, on the tuple it came from.
    mutating func stunReceived(_ bytes: UnsafeRawBufferPointer, key: TupleTable.Key) {
        counters.add(.stunRequests)
        let known = tupleNumbers.find(key)
        let addressed = unsafe transport(addressedBy: bytes, likely: known.flatMap { tuples[$0]?.transport })
        guard let owner = addressed.transport ?? known.flatMap({ tuples[$0]?.transport }) else {
            return counters.add(addressed.isWellFormed ? .unknownUsernameFragment : .malformedSTUN)
        }
        guard case .webRTC(let webRTC) = transports[owner].association else { return counters.add(.unknownTuple) }
        // A client may use its address for a new transport; the old one keeps the tuple until the check has passed.
        let isKnown = known.map { tuples[$0]?.transport == owner } ?? false
        let number = isKnown ? known ?? 0 : reserveTuple(key, transport: owner)
        let isTCP = TCPConnections.isConnection(Int(key.socket))
        let id = TupleID(number: number, isTCP: isTCP)
        let deadline = webRTCAssociations[webRTC].ice.nextDeadline
        ensureCapacity()
        var reply = unsafe ByteWriter(UnsafeMutableRawBufferPointer(start: arena.next, count: 512))
        switch unsafe webRTCAssociations[webRTC].ice.bindingRequestReceived(
            bytes, on: id, from: key.remote, at: now, reply: &reply)
        {
        case .succeeded: claimTuple(key, for: owner)
        case .succeededWithoutPriority:
            counters.add(.stunWithoutPriority)
            claimTuple(key, for: owner)
        case .rejected: counters.add(.stunRejected)
        case .ignored: counters.add(.malformedSTUN)
        }
        if reply.count > 0 {
            if isTCP {
                unsafe queueFrame(reply.written, .control, on: Int(key.socket))
            } else {
                let destination = arena.addDestination(key.remote, socket: Int(key.socket))
                arena.commit(length: reply.count, to: destination)
                countSent(reply.count)
            }
        }
        if !isKnown { keepTuple(number, ifAcceptedBy: owner, webRTC, replacing: known) }
        iceAdvanced(owner, webRTC)
        startHandshakeIfPossible(owner, webRTC)
        // Thousands of clients check their paths every two seconds: nearly always nothing else changes by that.
        if webRTCAssociations[webRTC].ice.nextDeadline != deadline { rescheduleTimer(of: owner) }
    }

    /// Whether a binding request names a transport that there is.
    func namesTransport(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe transport(addressedBy: bytes, likely: nil).transport != nil
    }

    /// The transport whose user name fragment a binding request names, and whether it names one at all.
    /// - Parameter likely: the tuple's transport so far: nearly always the one, and found without making a string.
    private func transport(
        addressedBy bytes: UnsafeRawBufferPointer, likely: Slot<MediaTransport>?
    ) -> (transport: Slot<MediaTransport>?, isWellFormed: Bool) {
        guard let fragment = unsafe ICELiteAgent.localUsernameFragment(of: bytes) else { return (nil, false) }
        if let likely, case .webRTC(let webRTC) = transports[likely].association,
            webRTCAssociations[webRTC].usernameFragments.contains(where: { unsafe $0.utf8.elementsEqual(fragment) })
        {
            return (likely, true)
        }
        return unsafe (transportsByUsernameFragment[String(decoding: fragment, as: UTF8.self)], true)
    }

    /// A valid check for another transport came from the tuple: it is that one's now. A transport that has lost its
    /// last tuple so waits to be heard from elsewhere, and its room learns which one replaced it.
    mutating func takeTuple(_ number: Int, for owner: TransportKey) {
        guard let tuple = tuples[number] else { return }
        let transport = tuple.transport
        forgetTuple(number)
        guard case .webRTC(let webRTC) = transports[transport].association else { return }
        let isTCP = TCPConnections.isConnection(Int(tuple.key.socket))
        webRTCAssociations[webRTC].ice.tupleRemoved(TupleID(number: number, isTCP: isTCP), at: now)
        iceAdvanced(transport, webRTC)
        rescheduleTimer(of: transport)
        if transports[transport].route == .none {
            transports[transport].events.append(
                .transportSuperseded(transports[transport].key, by: owner))
        }
    }

    /// Carries out what the ICE agent has to say.
    mutating func iceAdvanced(
        _ transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>
    ) {
        while let event = webRTCAssociations[webRTC].ice.pollEvent() {
            switch event {
            case .stateChanged(let state):
                transports[transport].events.append(
                    .iceStateChanged(transports[transport].key, state, selected: selectedTuple(of: transport)))
            case .selectedTupleChanged(let tuple): select(tuple, on: transport)
            case .pathRecovered:
                for consumer in transports[transport].consumers where consumers[consumer].stream.kind == .video {
                    consumerAskedForKeyFrame(consumer)
                }
            case .tupleDropped(let tuple): tupleDropped(tuple)
            case .usernameFragmentRetired(let fragment):
                transportsByUsernameFragment[fragment] = nil
                webRTCAssociations[webRTC].usernameFragments.removeAll { $0 == fragment }
            }
        }
    }

    private mutating func select(_ id: TupleID?, on transport: Slot<MediaTransport>) {
        let wasReady = transports[transport].isReady
        guard let id, let tuple = tuples[id.number] else {
            transports[transport].route = .none
            return readinessChanged(transport)
        }
        let (socket, remote) = (Int(tuple.key.socket), tuple.key.remote)
        setRoute(
            id.isTCP ? .tcp(connection: socket, remote: remote) : .udp(socket: socket, remote: remote), of: transport)
        if !wasReady { readinessChanged(transport) }
    }

    /// Sends by another way from now on: what is queued already goes by the old one.
    func setRoute(_ route: Route, of transport: Slot<MediaTransport>) {
        transports[transport].route = route
        transports[transport].destination = .none
        if let remote = route.remote { routeChanged(of: transport, to: remote) }
    }

    /// The selected tuple as events and statistics give it.
    func selectedTuple(of transport: Slot<MediaTransport>) -> TransportTuple? {
        let local: IPAddressPort
        var relay: RelayKind?
        switch transports[transport].route {
        case .none: return nil
        case .udp(let socket, _): local = localAddresses[socket]
        case .tcp(let number, _):
            guard let connection = connections.connection(number) else { return nil }
            local = connections.all[connection].local
            relay = connections.all[connection].relay?.kind
        }
        guard let remote = transports[transport].route.remote else { return nil }
        return TransportTuple(
            localAddress: local.addressText, localPort: local.port, remoteAddress: remote.addressText,
            remotePort: remote.port,
            transport: transports[transport].route.isTCP && relay != .udp ? .tcp : .udp, relay: relay)
    }

    // MARK: DTLS

    mutating func dtlsReceived(
        _ bytes: UnsafeRawBufferPointer, on transport: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>, tuple: TupleID
    ) {
        guard webRTCAssociations[webRTC].ice.handshakeReceived(on: tuple, at: now) else {
            return counters.add(.unknownTuple)
        }
        iceAdvanced(transport, webRTC)
        startHandshakeIfPossible(transport, webRTC)
        let before = webRTCAssociations[webRTC].dtls.counters
        unsafe webRTCAssociations[webRTC].dtls.datagramReceived(bytes, at: now)
        countDrops(from: before, to: webRTCAssociations[webRTC].dtls.counters)
        dtlsAdvanced(transport, webRTC)
    }

    private func countDrops(from before: DTLSCounters, to after: DTLSCounters) {
        guard after != before else { return }
        counters.add(.malformedDTLS, after.records.malformed &- before.records.malformed)
        counters.add(.dtlsAuthentication, after.records.forged &- before.records.forged)
        counters.add(.dtlsReplay, after.records.replayed &- before.records.replayed)
        let foreign = after.records.foreign &- before.records.foreign
        counters.add(.unexpectedDTLS, foreign &+ after.ignoredDatagrams &- before.ignoredDatagrams)
    }

    /// Starts the handshake once there is an address: in the role that the room gave, or as server as long as it gave none,
    /// because a client's first flight may overtake its signaling.
    mutating func startHandshakeIfPossible(
        _ transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>
    ) {
        guard !webRTCAssociations[webRTC].isHandshakeStarted, transports[transport].route != .none else { return }
        webRTCAssociations[webRTC].isHandshakeStarted = true
        webRTCAssociations[webRTC].dtls.start(
            role: webRTCAssociations[webRTC].dtlsRole == .client ? .client : .server, at: now)
        dtlsAdvanced(transport, webRTC)
    }

    /// The room gives the client's role after a check has started the handshake as server: start again.
    mutating func becomeDTLSClient(
        _ transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>
    ) {
        guard webRTCAssociations[webRTC].isHandshakeStarted, !transports[transport].protection.canSend else { return }
        do throws(MediaError) {
            webRTCAssociations[webRTC].dtls = try DTLSConnection(certificate: certificate)
            webRTCAssociations[webRTC].isHandshakeStarted = false
        } catch {
            transports[transport].events.append(.commandFailed(transports[transport].key, error))
        }
    }

    /// Sends the handshake's datagrams and carries out its events.
    mutating func dtlsAdvanced(
        _ transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>
    ) {
        while let event = webRTCAssociations[webRTC].dtls.pollEvent() {
            switch event {
            case .connecting: setDTLSState(.connecting, of: transport, webRTC)
            case .connected(let keys): handshakeCompleted(keys, on: transport, webRTC)
            case .applicationData(let packet): applicationDataReceived(packet, on: transport)
            case .failed(let failure):
                counters.add(.handshakesFailed)
                counters.add(failure)
                transports[transport].events.append(
                    .handshakeFailed(
                        transports[transport].key, failure, detail: webRTCAssociations[webRTC].dtls.failureDetail))
                setDTLSState(.failed, of: transport, webRTC)
                dataLost(webRTC)
            case .closed:
                // The client said goodbye: its keys are over, in both directions (RFC 5764 §4.1).
                transports[transport].protection.end()
                setDTLSState(.closed, of: transport, webRTC)
                dataLost(webRTC)
                readinessChanged(transport)
            }
        }
        sendDTLS(transport, webRTC)
        rescheduleTimer(of: transport)
    }

    /// Sends the datagrams that DTLS has.
    mutating func sendDTLS(_ transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>) {
        while transports[transport].route != .none {
            ensureCapacity()
            let space = unsafe UnsafeMutableRawBufferPointer(start: arena.next, count: EgressBatcher.largestDatagram)
            guard let length = unsafe webRTCAssociations[webRTC].dtls.pollTransmit(into: space) else { break }
            commit(length: length, to: transport)
        }
    }

    private mutating func handshakeCompleted(
        _ keys: SRTPKeyingMaterial, on transport: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>
    ) {
        do {
            try transports[transport].protection.setLocalKey(keys.local, keys.profile)
            try transports[transport].protection.setRemoteKey(keys.remote, keys.profile)
        } catch {
            transports[transport].events.append(.commandFailed(transports[transport].key, error))
            return setDTLSState(.failed, of: transport, webRTC)
        }
        counters.add(.handshakesCompleted)
        setDTLSState(.connected, of: transport, webRTC)
        readinessChanged(transport)
        if let association = webRTCAssociations[webRTC].data { startDataIfPossible(association) }
    }

    private func setDTLSState(
        _ state: DTLSState, of transport: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>
    ) {
        guard webRTCAssociations[webRTC].dtlsState != state else { return }
        webRTCAssociations[webRTC].dtlsState = state
        transports[transport].events.append(.dtlsStateChanged(transports[transport].key, state))
    }

    /// Keys or an address came or went: consumers start, with a key frame, or stop.
    mutating func readinessChanged(_ transport: Slot<MediaTransport>) {
        for consumer in transports[transport].consumers { updateFlow(consumer) }
        receptionExpected(on: transport)
    }
}
