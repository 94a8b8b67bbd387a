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

extension Transport {
    /// - Parameter statistics: newer than what events have said: a client may change its addresses without another state.
    func path(_ statistics: TransportStatistics?) -> TransportPath {
        switch kind {
        case .webRTC(let webRTC):
            .webRTC(
                webRTC.iceState, webRTC.dtlsState,
                selected: statistics?.selectedTuple ?? webRTC.selectedTuple)
        case .plain(let plain): .plain(plain.state)
        }
    }

    /// What the clients' statistics say of it, as mediasoup's: it differs by the transport's kind.
    func pathEntry(_ statistics: TransportStatistics) -> JSONValue {
        switch kind {
        case .webRTC:
            return .fields([
                "type": .string("webrtc-transport"), "iceRole": .string("controlled"),
                "iceState": .string(statistics.iceState.rawValue), "dtlsState": .string(statistics.dtlsState.rawValue),
                "iceSelectedTuple": statistics.selectedTuple?.json,
            ])
        case .plain(let plain):
            var state = plain.state
            state.tuples = statistics.plain ?? state.tuples
            return state.json.merging(.object(["type": .string("plain-rtp-transport")]))
        }
    }
}
