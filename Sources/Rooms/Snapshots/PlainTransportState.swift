public import RoundhouseMedia

/// A plain transport's settings and addresses.
public struct PlainTransportState: Sendable, Hashable {
    /// Whether the client's addresses are learned.
    public var comedia: Bool
    /// Whether RTP and RTCP share a port.
    public var rtcpMux: Bool
    /// The addresses, as far as they are known.
    public var tuples: PlainTuples

    /// mediasoup's names.
    var json: JSONValue {
        .fields([
            "comedia": .bool(comedia), "rtcpMux": .bool(rtcpMux), "tuple": tuples.rtp.json,
            "rtcpTuple": tuples.rtcp?.json,
        ])
    }
}
