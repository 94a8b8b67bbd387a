// Safe: a datagram's bytes are read within the count that is compared first.
extension Shard {
    /// What a transport's producers should get may have changed: from now on it is looked whether they do.
    mutating func receptionExpected(on transport: UnsafeMutablePointer<MediaTransport>) {
        let isOpen =
            switch transport.pointee.association {
            case .webRTC: transport.pointee.protection.canReceive
            case .plain: true
            }
        if isOpen, transport.pointee.producers.contains(where: { !$0.pointee.isPaused }) {
            if transport.pointee.history.reception.raised == nil { forgetHeard(on: transport) }
            transport.pointee.history.reception.begin(at: now)
        } else if let kind = transport.pointee.history.reception.stop() {
            transport.pointee.events.append(.warningCleared(transport.pointee.key, kind))
        }
        touch(transport)
    }

    mutating func receptionDeadlineReached(on transport: UnsafeMutablePointer<MediaTransport>) {
        guard let deadline = transport.pointee.history.reception.nextDeadline, deadline <= now else { return }
        var harvest = ReceptionWatch.Harvest()
        for producer in transport.pointee.producers where !producer.pointee.isPaused {
            harvest.expected += 1
            if producer.pointee.hasEverBeenHeard { harvest.hasEverHeard = true }
            if !producer.pointee.isHeard {
                harvest.unheard += 1
            } else if !producer.pointee.hasKeyFrame, producer.pointee.primaryCodec?.codec.hasKeyFrames == true {
                harvest.withoutKeyFrame += 1
            }
        }
        let key = transport.pointee.key
        switch transport.pointee.history.reception.deadlineReached(harvest, at: now) {
        case .raised(let warning): transport.pointee.events.append(.warningRaised(key, warning))
        case .cleared(let kind): transport.pointee.events.append(.warningCleared(key, kind))
        case .requestKeyFrames: return requestMissingKeyFrames(on: transport)
        case nil: break
        }
        if transport.pointee.history.reception.raised == nil { forgetHeard(on: transport) }
    }

    private mutating func requestMissingKeyFrames(on transport: UnsafeMutablePointer<MediaTransport>) {
        for producer in transport.pointee.producers where !producer.pointee.isPaused && !producer.pointee.hasKeyFrame {
            for case .some(let stream) in producer.pointee.streams { forceKeyFrame(of: stream) }
        }
    }

    private func forgetHeard(on transport: UnsafeMutablePointer<MediaTransport>) {
        for producer in transport.pointee.producers { producer.pointee.isHeard = false }
    }

    /// An RTP packet was of no use; what its header says, so far as it has one.
    func refused(
        _ refusal: ReceptionWatch.Refusal, _ packet: UnsafeRawBufferPointer,
        on transport: UnsafeMutablePointer<MediaTransport>
    ) {
        guard packet.count >= 12 else { return }
        transport.pointee.history.reception.packetRefused(
            refusal, ssrc: SSRC(UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))),
            payloadType: packet[1] & 0x7F)
    }

    /// A consumer would run, if only its packets might be sent to the address that was learned.
    func warnOfDestination(of transport: UnsafeMutablePointer<MediaTransport>) {
        guard case .plain(let path) = transport.pointee.association, !path.pointee.hasWarnedOfDestination else {
            return
        }
        path.pointee.hasWarnedOfDestination = true
        let warning = TransportWarning(
            .destinationNotAllowed, remoteAddress: path.pointee.remote?.addressText)
        transport.pointee.events.append(.warningRaised(transport.pointee.key, warning))
    }
}
