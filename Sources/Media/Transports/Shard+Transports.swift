/// What a transport does for all of its streams.
extension Shard {
    /// The media SSRC of transport feedback: any of the sender's, as browsers expect one they know.
    func feedbackMediaSSRC(of transport: Slot<MediaTransport>) -> SSRC {
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams { return streams[stream].received.ssrc }
        }
        return SSRC(0)
    }

    /// Whether nothing can change what a receiver's network is believed to carry, nor what is sent by that: no RTP goes either
    /// way any more, and no video waits for its share.
    private func isAtRest(_ bandwidth: Slot<TransportBandwidth>, of transport: Slot<MediaTransport>) -> Bool {
        guard transports[transport].reports.isAsleep else { return false }
        return !bandwidths[bandwidth].allocator.shares.contains { consumers[$0.consumer].isPausedForBudget }
    }

    /// When there is something to do for a transport.
    func nextDeadline(of transport: Slot<MediaTransport>) -> MediaInstant? {
        var deadline = nextAssociationDeadline(of: transport)
        let hasStreams = !transports[transport].producers.isEmpty || !transports[transport].consumers.isEmpty
        if hasStreams, sendsRTCP(transport) {
            deadline = earliest(deadline, transports[transport].reports.nextDeadline)
        }
        if transports[transport].sendsTransportFeedback {
            deadline = earliest(deadline, transports[transport].recorder.nextDeadline)
        }
        deadline = earliest(deadline, transports[transport].history.reception.nextDeadline)
        if let bandwidth = transports[transport].bandwidth, !isAtRest(bandwidth, of: transport) {
            deadline = earliest(deadline, bandwidths[bandwidth].nextDeadline)
        }
        if let incoming = transports[transport].incoming {
            deadline = earliest(deadline, incomings[incoming].nextDeadline)
        }
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams {
                deadline = earliest(deadline, streams[stream].nextDeadline)
            }
        }
        return deadline
    }
}
