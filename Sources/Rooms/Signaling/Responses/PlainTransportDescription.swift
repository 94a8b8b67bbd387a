public import RoundhouseMedia

/// `createPlainTransport`'s answer.
public struct PlainTransportDescription: Sendable, Hashable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// Where it is reached.
    public var endpoint: PlainEndpoint
    /// What the server sends with, if the transport has SRTP.
    public var srtpParameters: SRTPParameters?

    /// With the id under both its names: the demo's of 2024 and of 2026.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "transportId": .string(id.rawValue), "ip": .string(endpoint.ip),
            "port": .integer(Int64(endpoint.port)), "rtcpPort": endpoint.rtcpPort.map { .integer(Int64($0)) },
            "srtpParameters": srtpParameters?.json,
        ])
    }
}
