/// What a packet is for, in the order in which packets that wait for a connection are sent.
enum TCPFrameKind: Int, CaseIterable {
    /// STUN, RTCP and the handshake of DTLS: without them there is no call.
    case control
    case audio
    /// Data channels, whose protocol sends again what gets lost.
    case data
    case video

    /// How soon packets of this kind make room for others; those of control have room of their own.
    var expendability: Int {
        switch self {
        case .video: 3
        case .audio: 2
        case .data: 1
        case .control: 0
        }
    }

    /// After so long nobody wants it any more; `nil`: it is worth as much as before.
    var patience: MediaDuration? {
        switch self {
        case .video: .milliseconds(200)
        case .audio: .milliseconds(500)
        case .control, .data: nil
        }
    }
}
