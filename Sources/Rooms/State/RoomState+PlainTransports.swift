import RoundhouseMedia

extension RoomState {
    /// Checks the request and makes the key; `plainTransportOpened` follows.
    mutating func openPlainTransport(
        _ request: CreatePlainTransportRequest, destinations: PlainDestinations, from session: PeerSession
    ) throws(RoomError) -> PlainTransportOpening {
        let peer = try peerBelowTransportLimit(session)
        let protection = request.cryptoSuite.map { suite in
            PlainProtection(
                profile: suite,
                local: SRTPMasterKey(key: randomBytes(suite.keyLength), salt: randomBytes(suite.saltLength)))
        }
        return PlainTransportOpening(
            id: TransportID(randomIdentifier()), peerID: peer.id,
            settings: PlainTransportSettings(
                isComedia: request.comedia, keepsAddress: request.keepsAddress, usesRTCPMux: request.rtcpMux,
                protection: protection, destinations: destinations))
    }

    /// The media plane has the transport.
    mutating func plainTransportOpened(
        _ opening: PlainTransportOpening, _ key: TransportKey, _ endpoint: PlainEndpoint
    ) -> PlainTransportDescription {
        let settings = opening.settings
        let tuples = PlainTuples(
            rtp: PlainTuple(localAddress: endpoint.ip, localPort: endpoint.port),
            rtcp: endpoint.rtcpPort.map { PlainTuple(localAddress: endpoint.ip, localPort: $0) })
        let plain = PlainTransport(
            isComedia: settings.isComedia, usesRTCPMux: settings.usesRTCPMux, protection: settings.protection,
            destinations: settings.destinations, endpoint: endpoint, tuples: tuples)
        transports[opening.id] = Transport(
            id: opening.id, peerID: opening.peerID, key: key, isConsuming: true, kind: .plain(plain))
        transportIDs[key] = opening.id
        journal.append(.transportOpened(opening.id, peer: opening.peerID))
        peers[opening.peerID]?.transportIDs.append(opening.id)
        return PlainTransportDescription(
            id: opening.id, endpoint: endpoint,
            srtpParameters: settings.protection.map { SRTPParameters(cryptoSuite: $0.profile, key: $0.local) })
    }

    /// Checks the request and says what the media plane needs; `transportConnected` follows.
    func connectPlainTransport(
        _ request: ConnectPlainTransportRequest, from session: PeerSession
    ) throws(RoomError) -> (key: TransportKey, remote: PlainRemote) {
        let transport = try transport(request.transportID, of: session)
        guard let plain = transport.plain else {
            throw RoomError(
                .invalidParameters, "transport \"\(transport.id)\" is not plain: connect it with dtlsParameters")
        }
        guard !transport.isConnected else {
            throw RoomError(.wrongState, "connect() already called for transport \"\(transport.id)\"")
        }
        let key = try Self.key(of: request, for: plain)
        guard plain.isComedia else { return (transport.key, try Self.remote(request, key, for: plain)) }
        for (name, isGiven) in [
            ("ip", request.ip != nil), ("port", request.port != nil), ("rtcpPort", request.rtcpPort != nil),
        ] where isGiven {
            throw RoomError(
                .invalidParameters, "\(name): the transport has comedia, and learns it from the first packet")
        }
        guard let key else {
            throw RoomError(
                .wrongState, "the transport has comedia: it learns the address from the first packet, do not connect it"
            )
        }
        return (transport.key, PlainRemote(key: key))
    }

    private static func key(
        of request: ConnectPlainTransportRequest, for plain: PlainTransport
    ) throws(RoomError) -> SRTPMasterKey? {
        guard let protection = plain.protection else {
            guard request.srtpParameters == nil else {
                throw RoomError(.invalidParameters, "srtpParameters: the transport was made without enableSrtp")
            }
            return nil
        }
        guard let parameters = request.srtpParameters else {
            throw RoomError(.invalidParameters, "srtpParameters: missing, and the transport was made with enableSrtp")
        }
        guard parameters.cryptoSuite == protection.profile else {
            throw RoomError(
                .invalidParameters,
                "srtpParameters.cryptoSuite: the transport was made for \(protection.profile.rawValue): use it, or make "
                    + "another with srtpCryptoSuite")
        }
        return parameters.key
    }

    private static func remote(
        _ request: ConnectPlainTransportRequest, _ key: SRTPMasterKey?, for plain: PlainTransport
    ) throws(RoomError) -> PlainRemote {
        guard let ip = request.ip else { throw RoomError(.invalidParameters, "ip: missing") }
        guard let port = request.port else { throw RoomError(.invalidParameters, "port: missing") }
        if plain.usesRTCPMux, request.rtcpPort != nil {
            throw RoomError(.invalidParameters, "rtcpPort: the transport has rtcpMux: leave it out")
        }
        if !plain.usesRTCPMux, request.rtcpPort == nil {
            throw RoomError(.invalidParameters, "rtcpPort: missing, and the transport has no rtcpMux")
        }
        guard let remote = PlainRemote(ip: ip, port: port, rtcpPort: request.rtcpPort, key: key) else {
            throw RoomError(.invalidParameters, "ip: not the IPv4 or IPv6 address of one host")
        }
        guard remote.isIPv6 == plain.endpoint.isIPv6 else {
            throw RoomError(
                .invalidParameters, "ip: the transport's socket is of IPv\(plain.endpoint.isIPv6 ? 6 : 4): use such one"
            )
        }
        guard plain.destinations.admits(remote) else {
            let kind = plain.destinations.kind(of: remote).map { ", \($0)" } ?? ""
            throw RoomError(
                .forbidden,
                "ip: \(ip)\(kind): RTP is sent only to the address that asks for the transport, and where the server's "
                    + "operator allows it with --plain-destinations")
        }
        return remote
    }

    /// The address of a plain transport's client is known: announced, or taken from its first packet.
    mutating func plainTuplesChanged(_ key: TransportKey, _ tuples: PlainTuples) {
        // A transport that was closed meanwhile is a legitimate race.
        guard let id = transportIDs[key], let transport = transports[id] else { return }
        transports[id]?.plain?.tuples = tuples
        journal.append(.transportTuple(id, peer: transport.peerID, tuples))
    }

    private mutating func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in randomByte() }
    }
}
