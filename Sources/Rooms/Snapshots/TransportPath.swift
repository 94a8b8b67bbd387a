public import RoundhouseMedia

/// How a transport and its client reach each other.
public enum TransportPath: Sendable, Hashable {
    /// With ICE and DTLS; `selected` are the addresses in use.
    case webRTC(ICEState, DTLSState, selected: TransportTuple?)
    /// RTP on sockets of the transport's own.
    case plain(PlainTransportState)

    var json: JSONValue {
        switch self {
        case .webRTC(let ice, let dtls, let selected):
            .fields([
                "type": .string("webrtc"), "iceState": .string(ice.rawValue), "dtlsState": .string(dtls.rawValue),
                "iceSelectedTuple": selected?.json,
            ])
        case .plain(let state): state.json.merging(.object(["type": .string("plain")]))
        }
    }
}
