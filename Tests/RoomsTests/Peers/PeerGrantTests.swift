import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite struct PeerGrantTests {
    private func connect(
        _ state: inout RoomState, _ name: String, _ permissions: PeerPermissions, called displayName: String? = nil
    ) throws -> PeerSession {
        try state.peerConnected(
            PeerID(name), grant: PeerGrant(permissions: permissions, displayName: displayName)
        ).session
    }

    private func room() throws -> RoomState {
        RoomState(
            id: RoomID("r"), configuration: RoomConfiguration(),
            routerCapabilities: try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs),
            generator: SystemRandomNumberGenerator())
    }

    @Test func `a name that was granted is kept, whatever the client says`() throws {
        var state = try room()
        let peer = try connect(&state, "a", .all, called: "Ada")
        // The client learns both from the answer, and need not believe what it asked for.
        let answer = try state.join(JoinRequest(displayName: "Bob"), from: peer).answer
        #expect(answer.displayName == "Ada" && answer.permissions == .all)
        #expect(state.peers[PeerID("a")]?.description.displayName == "Ada")
        let refusal = #expect(throws: RoomError.self) { try state.changeDisplayName("Eve", from: peer) }
        #expect(refusal?.code == .forbidden)
        #expect(state.peers[PeerID("a")]?.description.displayName == "Ada")
    }

    @Test func `each right is asked for by what needs it`() throws {
        for permissions in [[], .publish, .subscribe, .data, .all] as [PeerPermissions] {
            var state = try room()
            let peer = try connect(&state, "a", permissions)
            _ = try state.join(JoinRequest(displayName: "A"), from: peer)
            let nowhere = TransportID("none")
            let parameters = RTPParameters(codecs: [], encodings: [])
            let produce = #expect(throws: RoomError.self) {
                try state.openProducer(
                    ProduceRequest(transportID: nowhere, kind: .audio, rtpParameters: parameters), from: peer)
            }
            #expect(produce?.code == (permissions.contains(.publish) ? .transportNotFound : .forbidden))
            let consume = #expect(throws: RoomError.self) {
                try state.consume(
                    ConsumeRequest(
                        transportID: nowhere, producerID: ProducerID("none"), rtpCapabilities: RTPCapabilities()),
                    from: peer)
            }
            #expect(consume?.code == (permissions.contains(.subscribe) ? .transportNotFound : .forbidden))
            #expect(state.peers[PeerID("a")]?.may(.data) == permissions.contains(.data))
        }
    }

    @Test func `a limit that became lower holds for newcomers only`() throws {
        var state = try room()
        let first = try connect(&state, "a", .all)
        _ = try connect(&state, "b", .all)
        state.configuration.maximumPeers = 1
        let refusal = #expect(throws: RoomError.self) { try state.peerConnected(PeerID("c")) }
        #expect(refusal?.limit == .peersPerRoom)
        _ = try state.join(JoinRequest(displayName: "A"), from: first)
        #expect(state.peers.count == 2)
    }
}

/// By which fingerprint a client's certificate is known.
@Suite struct FingerprintTests {
    private func compared(
        _ fingerprints: [DTLSFingerprint], acceptsSHA1: Bool = false
    ) throws -> DTLSFingerprint.Algorithm? {
        var configuration = RoomConfiguration()
        configuration.acceptsSHA1Fingerprints = acceptsSHA1
        var state = RoomState(
            id: RoomID("r"), configuration: configuration,
            routerCapabilities: try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs),
            generator: SystemRandomNumberGenerator())
        let session = try state.peerConnected(PeerID("a")).session
        let opening = try state.openTransport(.init(producing: true, consuming: false), from: session)
        _ = state.transportOpened(opening, TransportKey(rawValue: 1))
        do {
            return try state.connectTransport(
                .init(transportID: opening.id, dtlsParameters: .init(fingerprints: fingerprints)), from: session
            ).fingerprint.algorithm
        } catch {
            return nil
        }
    }

    private func fingerprint(_ algorithm: DTLSFingerprint.Algorithm) -> DTLSFingerprint {
        DTLSFingerprint(algorithm: algorithm, value: [UInt8](repeating: 1, count: algorithm.length))
    }

    @Test func `the strongest is compared, and sha-1 alone only where that is allowed`() throws {
        let (sha1, sha256, sha512) = (fingerprint(.sha1), fingerprint(.sha256), fingerprint(.sha512))
        #expect(try compared([sha1, sha256]) == .sha256)
        #expect(try compared([sha512, sha256, sha1]) == .sha512)
        #expect(try compared([sha1]) == nil)
        #expect(try compared([sha1], acceptsSHA1: true) == .sha1)
        #expect(try compared([DTLSFingerprint(algorithm: .sha256, value: [1]), sha512]) == nil)
    }
}

/// Which clients may come under a name that is taken.
@Suite struct PeerClaimTests {
    private static let claims: [PeerClaim] = [
        .token(Secret("a"), namesPeer: false), .token(Secret("b"), namesPeer: false),
        .token(Secret("c"), namesPeer: true),
        .address("192.0.2.1"), .address("192.0.2.2"),
    ]

    @Test func `a place is for the same token, for one that names the peer, or for the same address`() {
        for former in Self.claims {
            for claim in Self.claims {
                let isSame = claim == former
                let expected =
                    switch (claim, former) {
                    case (.token(_, namesPeer: true), _), (.token, .address): true
                    default: isSame
                    }
                #expect(claim.takesPlace(of: former, isUnheard: false) == expected, "\(claim) for \(former)")
                // A client that is not heard of may be the same on another network; a token says whether it is.
                let isAddress = if case .address = claim { true } else { false }
                #expect(claim.takesPlace(of: former, isUnheard: true) == (expected || isAddress))
            }
            #expect(former.takesPlace(of: nil, isUnheard: false))
        }
    }

    @Test func `a client that may not take a place is refused, and the one that has it notices nothing`() throws {
        var state = RoomState(
            id: RoomID("r"), configuration: RoomConfiguration(),
            routerCapabilities: try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs),
            generator: SystemRandomNumberGenerator())
        func grant(_ claim: PeerClaim) -> PeerGrant { PeerGrant(claim: claim) }
        let first = try state.peerConnected(PeerID("host"), grant: grant(Self.claims[0])).session
        let refusal = #expect(throws: RoomError.self) {
            try state.peerConnected(PeerID("host"), grant: grant(Self.claims[1]))
        }
        #expect(refusal?.code == .forbidden && state.peers[PeerID("host")]?.session == first)
        let second = try state.peerConnected(PeerID("host"), grant: grant(Self.claims[0])).session
        #expect(state.peers[PeerID("host")]?.session == second)
        _ = try state.peerConnected(PeerID("host"), grant: grant(Self.claims[2]))
        #expect(throws: RoomError.self) { try state.peerConnected(PeerID("host"), grant: grant(Self.claims[0])) }
    }
}
