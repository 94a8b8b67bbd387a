import RoundhouseMedia

/// What a room knows of a plain transport: RTP and RTCP without ICE and DTLS.
struct PlainTransport {
    let isComedia: Bool
    let usesRTCPMux: Bool
    let protection: PlainProtection?
    let destinations: PlainDestinations
    let endpoint: PlainEndpoint
    /// As the media plane reported them last.
    var tuples: PlainTuples

    var state: PlainTransportState { PlainTransportState(comedia: isComedia, rtcpMux: usesRTCPMux, tuples: tuples) }
}
