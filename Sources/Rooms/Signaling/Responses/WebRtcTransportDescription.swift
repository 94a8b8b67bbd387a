public import RoundhouseMedia

/// `createWebRtcTransport`'s answer.
public struct WebRtcTransportDescription: Sendable, Hashable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// Its credentials.
    public var iceParameters: ICEParameters
    /// Where it is reached.
    public var iceCandidates: [ICECandidate]
    /// The fingerprints of the server's certificate; its role is `auto`.
    public var fingerprints: [DTLSFingerprint]

    /// Without `sctpParameters`: data channels are not offered.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "iceParameters": iceParameters.json,
            "iceCandidates": .array(iceCandidates.map(\.json)),
            "dtlsParameters": .object([
                "role": .string(DTLSRole.auto.rawValue),
                "fingerprints": .array(
                    fingerprints.map {
                        .object(["algorithm": .string($0.algorithm.rawValue), "value": .string($0.text)])
                    }),
            ]),
        ])
    }
}
