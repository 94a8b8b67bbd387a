extension Shard {
    mutating func dtlsReceived(
        _ bytes: UnsafeRawBufferPointer, on transport: UnsafeMutablePointer<MediaTransport>, tuple: TupleID
    ) {
        guard transport.pointee.ice.handshakeReceived(on: tuple) else { return counters.add(.unknownTuple) }
        iceAdvanced(transport)
        startHandshakeIfPossible(transport)
        transport.pointee.dtls?.datagramReceived(bytes, at: now)
        dtlsAdvanced(transport)
    }

    /// Starts the handshake once there is an address: in the role the room told, or as server as long as it told none,
    /// because a client's first flight may overtake its signaling.
    mutating func startHandshakeIfPossible(_ transport: UnsafeMutablePointer<MediaTransport>) {
        guard !transport.pointee.isHandshakeStarted, transport.pointee.selected != nil else { return }
        transport.pointee.isHandshakeStarted = true
        transport.pointee.dtls?.start(role: transport.pointee.dtlsRole == .client ? .client : .server, at: now)
        dtlsAdvanced(transport)
    }

    /// The room tells the client's role after a check has already started the handshake as server: begin anew.
    mutating func becomeDTLSClient(_ transport: UnsafeMutablePointer<MediaTransport>) {
        guard transport.pointee.isHandshakeStarted, transport.pointee.sealer == nil else { return }
        do throws(MediaError) {
            transport.pointee.dtls = try DTLSConnection(certificate: certificate)
            transport.pointee.isHandshakeStarted = false
        } catch {
            transport.pointee.events.append(.commandFailed(transport.pointee.key, error))
        }
    }

    /// Sends the handshake's datagrams and carries out its events.
    mutating func dtlsAdvanced(_ transport: UnsafeMutablePointer<MediaTransport>) {
        while let event = transport.pointee.dtls?.pollEvent() {
            switch event {
            case .connecting: setDTLSState(.connecting, of: transport)
            case .connected(let keys): handshakeCompleted(keys, on: transport)
            // Nobody offers data channels yet.
            case .applicationData: break
            case .failed:
                counters.add(.handshakesFailed)
                setDTLSState(.failed, of: transport)
            case .closed:
                // The client said goodbye: its keys are over, in both directions (RFC 5764 §4.1).
                transport.pointee.sealer = nil
                transport.pointee.opener = nil
                setDTLSState(.closed, of: transport)
                readinessChanged(transport)
            }
        }
        while transport.pointee.selected != nil {
            makeRoom()
            let space = UnsafeMutableRawBufferPointer(start: arena.next, count: EgressBatcher.largestDatagram)
            guard let length = transport.pointee.dtls?.pollTransmit(into: space) else { break }
            commit(length: length, to: transport)
        }
        touch(transport)
    }

    private mutating func handshakeCompleted(
        _ keys: SRTPKeyingMaterial, on transport: UnsafeMutablePointer<MediaTransport>
    ) {
        do {
            transport.pointee.sealer = try SRTPSealer(profile: keys.profile, master: keys.local)
            transport.pointee.opener = try SRTPOpener(profile: keys.profile, master: keys.remote)
        } catch {
            transport.pointee.events.append(.commandFailed(transport.pointee.key, error))
            return setDTLSState(.failed, of: transport)
        }
        transport.pointee.profile = keys.profile
        counters.add(.handshakesCompleted)
        setDTLSState(.connected, of: transport)
        readinessChanged(transport)
    }

    private func setDTLSState(_ state: DTLSState, of transport: UnsafeMutablePointer<MediaTransport>) {
        guard transport.pointee.dtlsState != state else { return }
        transport.pointee.dtlsState = state
        transport.pointee.events.append(.dtlsStateChanged(transport.pointee.key, state))
    }

    /// Keys or an address came or went: consumers start, with a key frame, or stop.
    mutating func readinessChanged(_ transport: UnsafeMutablePointer<MediaTransport>) {
        for consumer in transport.pointee.consumers { updateFlow(consumer) }
        receptionExpected(on: transport)
    }
}
