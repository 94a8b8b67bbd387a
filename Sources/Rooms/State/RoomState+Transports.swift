import RoundhouseMedia

extension RoomState {
    func transport(_ id: TransportID, of session: PeerSession) throws(RoomError) -> Transport {
        let peer = try peer(session)
        guard let transport = transports[id], transport.peerID == peer.id else {
            throw RoomError(.transportNotFound, "transport with id \"\(id)\" not found")
        }
        return transport
    }

    /// Checks the request and makes the credentials; `transportOpened` follows.
    mutating func openTransport(
        _ request: CreateWebRtcTransportRequest, from session: PeerSession
    ) throws(RoomError) -> TransportOpening {
        let peer = try peerBelowTransportLimit(session)
        return TransportOpening(
            id: TransportID(randomIdentifier()), peerID: peer.id, isConsuming: request.consuming,
            settings: TransportSettings(
                iceCredentials: randomCredentials(), consentTimeout: configuration.iceConsentTimeout,
                use: TransportUse(
                    sends: request.producing, receives: request.consuming,
                    isFirst: request.producing == request.consuming && peer.transportIDs.isEmpty),
                limits: configuration.outgoingLimits, maximumIncoming: configuration.maximumIncomingBitrate,
                data: request.dataChannels.map { configuration.dataLimits.bound($0.settings) }))
    }

    func peerBelowTransportLimit(_ session: PeerSession) throws(RoomError) -> Peer {
        let peer = try peer(session)
        guard peer.transportIDs.count < configuration.maximumTransportsPerPeer else {
            throw RoomError(
                RoomLimit.transportsPerPeer,
                "a peer may have \(configuration.maximumTransportsPerPeer) transports: use those it has")
        }
        return peer
    }

    /// The media plane has the transport. What waited for a consuming transport is consumed.
    mutating func transportOpened(_ opening: TransportOpening, _ key: TransportKey) -> [RoomAction] {
        transports[opening.id] = Transport(
            id: opening.id, peerID: opening.peerID, key: key, isConsuming: opening.isConsuming,
            kind: .webRTC(WebRTCTransport()))
        transports[opening.id]?.bitrates = TransportBitrates(configuration)
        transports[opening.id]?.data = opening.settings.data.map { TransportData(settings: $0) }
        transportIDs[key] = opening.id
        journal.append(.transportOpened(opening.id, peer: opening.peerID))
        peers[opening.peerID]?.transportIDs.append(opening.id)
        return opening.isConsuming ? consumeEverything(opening.peerID) + consumeAllData(opening.peerID) : []
    }

    /// Checks the request and says what the media plane needs; `transportConnected` follows.
    func connectTransport(
        _ request: ConnectWebRtcTransportRequest, from session: PeerSession
    ) throws(RoomError) -> (key: TransportKey, role: DTLSRole, fingerprint: DTLSFingerprint) {
        let transport = try transport(request.transportID, of: session)
        guard case .webRTC = transport.kind else {
            throw RoomError(.invalidParameters, "transport \"\(transport.id)\" is plain: it has no DTLS to connect")
        }
        guard !transport.isConnected else {
            throw RoomError(.wrongState, "connect() already called for transport \"\(transport.id)\"")
        }
        let fingerprints = request.dtlsParameters.fingerprints
        for (index, one) in fingerprints.enumerated() where one.value.count != one.algorithm.length {
            throw RoomError(
                .invalidParameters, "dtlsParameters.fingerprints[\(index)].value: not \(one.algorithm.length) bytes")
        }
        // Of several the strongest is compared: the others prove less.
        guard let fingerprint = fingerprints.max(by: { $0.algorithm.length < $1.algorithm.length }) else {
            throw RoomError(.invalidParameters, "dtlsParameters.fingerprints: empty")
        }
        guard fingerprint.algorithm != .sha1 || configuration.acceptsSHA1Fingerprints else {
            throw RoomError(
                .invalidParameters,
                "dtlsParameters.fingerprints: sha-1 alone proves too little, give sha-256 (--dtls-legacy)")
        }
        // One side is the DTLS client, the other the server; a client that leaves it open is asked to be the server.
        let role: DTLSRole = request.dtlsParameters.role == .client ? .server : .client
        return (transport.key, role, fingerprint)
    }

    mutating func transportConnected(_ id: TransportID) { transports[id]?.isConnected = true }

    /// Checks the request and makes new credentials.
    mutating func restartICE(
        _ id: TransportID, from session: PeerSession
    ) throws(RoomError) -> (key: TransportKey, credentials: ICECredentials) {
        let transport = try transport(id, of: session)
        guard case .webRTC = transport.kind else {
            throw RoomError(.invalidParameters, "transport \"\(id)\" is plain: it has no ICE to restart")
        }
        return (transport.key, randomCredentials())
    }

    /// A peer whose connection is lost leaves.
    mutating func iceStateChanged(
        _ key: TransportKey, _ iceState: ICEState, selected: TransportTuple?
    ) -> [RoomAction] {
        // A transport that was closed meanwhile is a legitimate race.
        guard let id = transportIDs[key], let transport = transports[id], let webRTC = transport.webRTC else {
            return []
        }
        transports[id]?.webRTC?.iceState = iceState
        transports[id]?.webRTC?.selectedTuple = selected
        journal.append(.transportChanged(id, peer: transport.peerID, iceState, webRTC.dtlsState))
        switch iceState {
        case .new, .connected, .completed: return []
        case .disconnected, .closed:
            // A client that made its transport again goes on with the new one.
            if let successor = webRTC.successor, transports[successor]?.isAlive(for: transport.peerID) == true {
                return transportClosed(id)
            }
            return leave(transport.peerID, .iceDisconnected)
        }
    }

    mutating func transportSuperseded(_ key: TransportKey, by successor: TransportKey) {
        guard let id = transportIDs[key] else { return }
        transports[id]?.webRTC?.successor = transportIDs[successor]
    }

    /// A peer whose handshake failed or whose DTLS was closed leaves, unless it outlives its transports.
    mutating func dtlsStateChanged(_ key: TransportKey, _ dtlsState: DTLSState) -> [RoomAction] {
        guard let id = transportIDs[key], let transport = transports[id], let webRTC = transport.webRTC else {
            return []
        }
        transports[id]?.webRTC?.dtlsState = dtlsState
        journal.append(.transportChanged(id, peer: transport.peerID, webRTC.iceState, dtlsState))
        switch dtlsState {
        case .new, .connecting, .connected: return []
        case .failed: return leave(transport.peerID, .dtlsFailed)
        case .closed:
            if peers[transport.peerID]?.outlivesTransports == true { return transportClosed(id) }
            return leave(transport.peerID, .dtlsClosed)
        }
    }

    /// What a transport's client means to send or get does not flow.
    /// - Returns: the transport; `nil` if it was closed meanwhile.
    mutating func warningRaised(_ key: TransportKey, _ warning: TransportWarning) -> Transport? {
        guard let id = transportIDs[key], let transport = transports[id] else { return nil }
        // Another one takes the place of "nothing": something has come.
        transports[id]?.warnings.removeAll { $0.kind == warning.kind || $0.kind == .nothingReceived }
        transports[id]?.warnings.append(warning)
        journal.append(.transportWarning(id, peer: transport.peerID, warning))
        return transport
    }

    /// A warning is over.
    /// - Returns: the transport; `nil` if it was closed meanwhile.
    mutating func warningCleared(_ key: TransportKey, _ kind: TransportWarning.Kind) -> Transport? {
        guard let id = transportIDs[key], let transport = transports[id] else { return nil }
        transports[id]?.warnings.removeAll { $0.kind == kind }
        journal.append(.transportWarningCleared(id, peer: transport.peerID, kind))
        return transport
    }

    /// Removes a transport with all that is on it; its peer stays.
    private mutating func transportClosed(_ id: TransportID) -> [RoomAction] {
        guard let transport = transports[id] else { return [] }
        var actions: [RoomAction] = []
        for producer in transport.producerIDs { actions += producerClosed(producer, withTransport: true) }
        for consumer in transport.consumerIDs { removeConsumer(consumer) }
        for producer in transport.data?.producerIDs ?? [] {
            actions += dataProducerClosed(producer, withTransport: true)
        }
        for consumer in transport.data?.consumerIDs ?? [] { removeDataConsumer(consumer) }
        transports[id] = nil
        transportIDs[transport.key] = nil
        peers[transport.peerID]?.transportIDs.removeAll { $0 == id }
        journal.append(.transportClosed(id, peer: transport.peerID))
        actions.append(.closeTransport(transport.key))
        return actions
    }

    private mutating func leave(_ id: PeerID, _ reason: PeerCloseReason) -> [RoomAction] {
        guard let peer = peers[id] else { return [] }
        return peerLeft(peer.session, reason)
    }
}
