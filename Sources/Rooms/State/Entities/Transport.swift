import RoundhouseMedia

/// A transport that is open on the media plane.
struct Transport {
    let id: TransportID
    let peerID: PeerID
    let key: TransportKey
    let isConsuming: Bool
    var kind: Kind
    var isConnected = false
    /// The first producer's CNAME is used for all of a transport's producers, so that a receiver can synchronize them.
    var cname: String?
    /// The next consumer's MID.
    var nextMID = 0
    /// SSRCs and MIDs of producers, which must not meet on one transport.
    var producerSSRCs: Set<UInt32> = []
    var producerMIDs: Set<String> = []
    /// RIDs of producers without MID.
    var producerRIDs: Set<String> = []
    var consumerSSRCs: Set<UInt32> = []
    var producerIDs: [ProducerID] = []
    var consumerIDs: [ConsumerID] = []
    /// What is wrong with it, as the media plane noticed it.
    var warnings: [TransportWarning] = []
    /// Its data channels; `nil` if there are none.
    var data: TransportData?
    /// What it may be sent, and its client may send.
    var bitrates = TransportBitrates()

    /// What differs between transports.
    enum Kind {
        case webRTC(WebRTCTransport)
        case plain(PlainTransport)
    }

    /// `nil` for a transport of another kind, which setting it leaves as it is.
    var webRTC: WebRTCTransport? {
        get { if case .webRTC(let webRTC) = kind { webRTC } else { nil } }
        set { if case .webRTC = kind, let newValue { kind = .webRTC(newValue) } }
    }

    /// `nil` for a transport of another kind, which setting it leaves as it is.
    var plain: PlainTransport? {
        get { if case .plain(let plain) = kind { plain } else { nil } }
        set { if case .plain = kind, let newValue { kind = .plain(newValue) } }
    }

    /// Whether its client passes ICE's checks.
    var isChecked: Bool {
        switch kind {
        case .webRTC(let webRTC): webRTC.iceState == .connected || webRTC.iceState == .completed
        case .plain: false
        }
    }

    /// Whether the peer has a connection by it.
    func isAlive(for peer: PeerID) -> Bool { peerID == peer && isChecked }

    /// Whether its client is, or was, there.
    var hasConnected: Bool {
        switch kind {
        case .webRTC(let webRTC): webRTC.iceState != .new
        case .plain(let plain): plain.tuples.rtp.remoteAddress != nil
        }
    }
}
