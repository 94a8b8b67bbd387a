// Safe: a datagram's bytes are read within the count that is compared first.
extension Shard {
    /// What a transport's producers should get may have changed: from now on it is looked whether they do.
    mutating func receptionExpected(on transport: Slot<MediaTransport>) {
        if receivesMedia(transport), transports[transport].producers.contains(where: { !producers[$0].isPaused }) {
            if transports[transport].history.reception.raised == nil { forgetHeard(on: transport) }
            transports[transport].history.reception.begin(at: now)
        } else if let kind = transports[transport].history.reception.stop() {
            transports[transport].events.append(.warningCleared(transports[transport].key, kind))
        }
        rescheduleTimer(of: transport)
    }

    /// Something came on a transport from which nothing had come for long.
    mutating func mediaHeard(on transport: Slot<MediaTransport>) {
        guard transports[transport].history.reception.isAsleep else { return }
        transports[transport].history.reception.begin(at: now)
        rescheduleTimer(of: transport)
    }

    mutating func receptionDeadlineReached(on transport: Slot<MediaTransport>) {
        guard let deadline = transports[transport].history.reception.nextDeadline, deadline <= now else { return }
        var harvest = ReceptionWatch.Harvest()
        for producer in transports[transport].producers where !producers[producer].isPaused {
            harvest.expected += 1
            if producers[producer].hasEverBeenHeard { harvest.hasEverHeard = true }
            if !producers[producer].isHeard {
                harvest.unheard += 1
            } else if !producers[producer].hasKeyFrame, producers[producer].primaryCodec?.codec.hasKeyFrames == true {
                harvest.withoutKeyFrame += 1
            }
        }
        let key = transports[transport].key
        switch transports[transport].history.reception.deadlineReached(harvest, at: now) {
        case .raised(let warning): transports[transport].events.append(.warningRaised(key, warning))
        case .cleared(let kind): transports[transport].events.append(.warningCleared(key, kind))
        case .requestKeyFrames: return requestMissingKeyFrames(on: transport)
        case nil: break
        }
        if transports[transport].history.reception.raised == nil { forgetHeard(on: transport) }
    }

    private mutating func requestMissingKeyFrames(on transport: Slot<MediaTransport>) {
        for producer in transports[transport].producers
        where !producers[producer].isPaused && !producers[producer].hasKeyFrame {
            for case .some(let stream) in producers[producer].streams { forceKeyFrame(of: stream) }
        }
    }

    private func forgetHeard(on transport: Slot<MediaTransport>) {
        for producer in transports[transport].producers { producers[producer].isHeard = false }
    }

    /// An RTP packet was of no use; what its header says, so far as it has one.
    mutating func refused(
        _ refusal: ReceptionWatch.Refusal, _ packet: UnsafeRawBufferPointer,
        on transport: Slot<MediaTransport>
    ) {
        guard packet.count >= 12 else { return }
        mediaHeard(on: transport)
        unsafe transports[transport].history.reception.packetRefused(
            refusal, ssrc: SSRC(UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))),
            payloadType: packet[1] & 0x7F)
    }

    /// Senders that know nothing of SRTP and header extensions fill their link's packets, and the server's do not fit then.
    func warnOfSize(of transport: Slot<MediaTransport>) {
        guard case .plain(let path) = transports[transport].association, !plainAssociations[path].hasWarnedOfSize else {
            return
        }
        plainAssociations[path].hasWarnedOfSize = true
        let warning = TransportWarning(.largePackets)
        transports[transport].events.append(.warningRaised(transports[transport].key, warning))
    }

    /// A consumer would run, if only its packets might be sent to the address that was learned.
    func warnOfDestination(of transport: Slot<MediaTransport>) {
        guard case .plain(let path) = transports[transport].association, !plainAssociations[path].hasWarnedOfDestination
        else {
            return
        }
        plainAssociations[path].hasWarnedOfDestination = true
        let warning = TransportWarning(
            .destinationNotAllowed, remoteAddress: plainAssociations[path].remote?.addressText)
        transports[transport].events.append(.warningRaised(transports[transport].key, warning))
    }
}
