/// How much clients should send: what is allowed, and what their paths carry where transport-wide feedback does not say so.
extension Shard {
    /// A producer comes to a transport.
    mutating func incomingExpected(of settings: ProducerSettings, on transport: Slot<MediaTransport>) {
        let isAnswered = transports[transport].sendsTransportFeedback
        if isAnswered, let incoming = transports[transport].incoming { incomings[incoming].isMeasuring = false }
        guard
            settings.kind == .video,
            settings.codecs.contains(where: { $0.feedback.contains(.receiverEstimatedMaximumBitrate) })
        else { return }
        let maximum = maximumIncoming(of: transport)
        let isMeasuring = !isAnswered && settings.headerExtensions[.absSendTime] != 0
        if let incoming = transports[transport].incoming {
            if isMeasuring { incomings[incoming].isMeasuring = true }
        } else if maximum != nil || isMeasuring {
            transports[transport].incoming = incomings.insert(
                IncomingBandwidth(maximum: maximum, isMeasuring: isMeasuring))
        }
    }

    /// What the transport's client should send at most, in bits per second.
    private func maximumIncoming(of transport: Slot<MediaTransport>) -> UInt64? {
        let limit = transportRate.bitsPerSecond
        return [transports[transport].history.maximumIncoming, limit < IncomingBandwidth.unlimited ? limit : nil]
            .compactMap(\.self).min()
    }

    /// - Parameter maximum: `nil`: as much as its network carries.
    mutating func setMaximumIncoming(_ maximum: UInt64?, of transport: Slot<MediaTransport>) {
        transports[transport].history.maximumIncoming = maximum
        for producer in transports[transport].producers {
            incomingExpected(of: producers[producer].settings, on: transport)
        }
        guard let incoming = transports[transport].incoming else { return }
        incomings[incoming].setMaximum(maximumIncoming(of: transport))
        rescheduleTimer(of: transport)
    }

    mutating func closeIncoming(of transport: Slot<MediaTransport>) {
        guard let incoming = transports[transport].incoming else { return }
        transports[transport].incoming = nil
        incomings.remove(incoming)
    }

    @inline(never)
    mutating func incomingReceived(
        _ incoming: Slot<IncomingBandwidth>, sendTime: UInt32?, size: Int, on transport: Slot<MediaTransport>
    ) {
        let wasIdle = incomings[incoming].nextDeadline == nil
        incomings[incoming].packetReceived(sendTime: sendTime, size: size, at: now)
        if wasIdle { rescheduleTimer(of: transport) }
    }

    mutating func incomingDeadlineReached(on transport: Slot<MediaTransport>) {
        guard let incoming = transports[transport].incoming,
            let bitrate = incomings[incoming].advance(to: now)
        else { return }
        var sources: [SSRC] = []
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams where sources.count < 255 {
                sources.append(streams[stream].received.ssrc)
            }
        }
        guard !sources.isEmpty else { return }
        let sender = SSRC(transports[transport].feedbackSSRC)
        let isSent = sendRTCP(on: transport) { (writer) throws(WireError) in
            try ReceiverEstimatedMaximumBitrate.write(
                senderSSRC: sender, bitrate: bitrate, sources: sources, into: &writer)
        }
        if isSent { counters.add(.estimatesSent) }
    }
}
