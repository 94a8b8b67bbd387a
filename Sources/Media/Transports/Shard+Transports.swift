/// What a transport may do, which depends on its association and its streams.
extension Shard {
    /// Whether consumers' packets may be sent, once there are an address and keys: not to whatever address a plain
    /// transport's client names.
    func sendsMedia(_ transport: Slot<MediaTransport>) -> Bool {
        guard transports[transport].isReady else { return false }
        switch transports[transport].association {
        case .webRTC: return true
        case .plain(let plain): return plainAssociations[plain].mayReceiveMedia
        }
    }

    /// Whether RTCP can be sent: the client of a plain transport may have shown RTP's address alone.
    func sendsRTCP(_ transport: Slot<MediaTransport>) -> Bool {
        guard transports[transport].isReady else { return false }
        switch transports[transport].association {
        case .webRTC: return true
        case .plain(let plain): return plainAssociations[plain].rtcpRemote != nil
        }
    }

    /// The media SSRC of transport feedback: any of the sender's, as browsers expect one they know.
    func feedbackMediaSSRC(of transport: Slot<MediaTransport>) -> SSRC {
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams { return streams[stream].received.ssrc }
        }
        return SSRC(0)
    }

    /// When there is something to do for a transport.
    func nextDeadline(of transport: Slot<MediaTransport>) -> MediaInstant? {
        var deadline: MediaInstant?
        if case .webRTC(let webRTC) = transports[transport].association {
            deadline = earliest(
                webRTCAssociations[webRTC].ice.nextDeadline, webRTCAssociations[webRTC].dtls.nextDeadline)
        }
        let hasStreams = !transports[transport].producers.isEmpty || !transports[transport].consumers.isEmpty
        if hasStreams, sendsRTCP(transport) {
            deadline = earliest(deadline, transports[transport].reports.nextDeadline)
        }
        if transports[transport].sendsTransportFeedback {
            deadline = earliest(deadline, transports[transport].recorder.nextDeadline)
        }
        deadline = earliest(deadline, transports[transport].history.reception.nextDeadline)
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams {
                deadline = earliest(deadline, streams[stream].nextDeadline)
            }
        }
        return deadline
    }
}
