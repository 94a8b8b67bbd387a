/// `connectWebRtcTransport`.
public struct ConnectWebRtcTransportRequest: Sendable, Hashable {
    /// Which transport.
    public var transportID: TransportID
    /// The client's side.
    public var dtlsParameters: RemoteDTLSParameters

    /// A request.
    public init(transportID: TransportID, dtlsParameters: RemoteDTLSParameters) {
        self.transportID = transportID
        self.dtlsParameters = dtlsParameters
    }
}
