/// How a transport's client is reached and known: each kind with the machines it needs, and no other.
// Safe: the pointees are owned by the transport; made and freed in `Shard+Lifetimes`.
enum Association {
    /// ICE and DTLS-SRTP, on the shard's sockets.
    case webRTC(UnsafeMutablePointer<WebRTCAssociation>)
    /// RTP and RTCP as they are, or SRTP with keys from signaling, on sockets of the transport's own.
    case plain(UnsafeMutablePointer<PlainAssociation>)

    var nextDeadline: MediaInstant? {
        switch self {
        case .webRTC(let webRTC): earliest(webRTC.pointee.ice.nextDeadline, webRTC.pointee.dtls.nextDeadline)
        case .plain: nil
        }
    }

    /// Whether media may be sent, once there are an address and keys: not to whatever address a plain transport's client
    /// names.
    var mayReceiveMedia: Bool {
        switch self {
        case .webRTC: true
        case .plain(let plain): plain.pointee.mayReceiveMedia
        }
    }

    /// Whether RTCP has an address too: the client of a plain transport may have shown RTP's alone.
    var hasRTCPRoute: Bool {
        switch self {
        case .webRTC: true
        case .plain(let plain): plain.pointee.rtcpRemote != nil
        }
    }

    func deallocate() {
        switch self {
        case .webRTC(let webRTC):
            webRTC.deinitialize(count: 1)
            webRTC.deallocate()
        case .plain(let plain):
            plain.deinitialize(count: 1)
            plain.deallocate()
        }
    }
}
