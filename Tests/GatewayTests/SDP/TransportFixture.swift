import RoundhouseMedia

@testable import RoundhouseRooms

/// A transport's description as a room over a plane without media gives it.
enum TransportFixture {
    static let description = WebRtcTransportDescription(
        id: TransportID("t"),
        iceParameters: ICEParameters(ICECredentials(usernameFragment: "ufrag", password: "0123456789012345678901")),
        iceCandidates: [
            ICECandidate(
                foundation: "1", priority: 1_076_302_079, address: "192.0.2.1", port: 40000, transport: .udp)
        ],
        fingerprints: [DTLSFingerprint(algorithm: .sha256, value: [UInt8](repeating: 0xAB, count: 32))])
}
