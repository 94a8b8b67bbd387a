import RoundhouseMedia
import Testing

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
