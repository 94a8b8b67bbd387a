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

    /// What its data channels are made with; `nil` if there are none.
    public var dataChannels: DataTransportSettings?

    /// With `sctpParameters` if there are data channels.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "iceParameters": iceParameters.json,
            "iceCandidates": .array(iceCandidates.map(\.json)),
            "dtlsParameters": .object([
                "role": .string(DTLSRole.auto.rawValue),
                "fingerprints": .array(
                    fingerprints.map {
                        .object(["algorithm": .string($0.algorithm.rawValue), "value": .string($0.text)])
                    }),
            ]),
            "sctpParameters": dataChannels.map { Self.sctpParameters($0) },
        ])
    }

    /// In both of mediasoup's generations: older clients read `maxMessageSize`, newer ones the others.
    private static func sctpParameters(_ settings: DataTransportSettings) -> JSONValue {
        let (size, buffer) = (
            JSONValue.count(UInt64(settings.largestMessage)), JSONValue.count(UInt64(settings.sendBuffer))
        )
        return .object([
            "port": .integer(5000), "OS": .integer(Int64(settings.outgoingStreams)),
            "MIS": .integer(Int64(settings.incomingStreams)), "maxMessageSize": size, "sendBufferSize": buffer,
            "sctpBufferedAmount": .integer(0), "isDataChannel": .bool(true), "maxSendMessageSize": size,
            "maxReceiveMessageSize": size, "perStreamSendQueueLimit": buffer,
        ])
    }
}
