/// How a transport's client is reached and known: each kind with the machines it needs, and no other.
enum Association {
    /// ICE and DTLS-SRTP, on the shard's sockets.
    case webRTC(Slot<WebRTCAssociation>)
    /// RTP and RTCP as they are, or SRTP with keys from signaling, on sockets of the transport's own.
    case plain(Slot<PlainAssociation>)
}
