import RoundhouseMedia

/// What a room knows of a WebRTC transport, as the media plane reported it last.
struct WebRTCTransport {
    var iceState = ICEState.new
    var dtlsState = DTLSState.new
    var selectedTuple: TransportTuple?
    /// The transport that its client's address belongs to now.
    var successor: TransportID?
}
