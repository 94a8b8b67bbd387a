/// `trace` events. Whoever calls these has seen that the object is traced at all: one test for a packet that is not.
extension Shard {
    /// A media packet of a traced producer arrived.
    func traceReceived(
        _ header: RTPHeader, size: Int, isKeyFrame: Bool, isRTX: Bool, of stream: Slot<IncomingStream>
    ) {
        let producer = streams[stream].producer
        guard let kind = producers[producer].traces.packetKind(isKeyFrame: isKeyFrame) else { return }
        var event = TraceEvent(
            subject: .producer(producers[producer].key), kind: kind, time: now, isIncoming: true, ssrc: header.ssrc)
        event.payloadType = header.payloadType
        event.sequence = header.sequenceNumber.rawValue
        event.timestamp = header.timestamp.rawValue
        event.size = size
        event.hasMarker = header.hasMarker
        event.isRTX = isRTX
        report(event, on: producers[producer].transport)
    }

    /// A media packet was sent to a traced consumer.
    /// - Parameter sequence: of a retransmission: the number it was first sent under.
    func traceSent(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, isRTX: Bool = false, sequence: UInt64? = nil,
        to consumer: Slot<ShardConsumer>
    ) {
        guard let kind = consumers[consumer].traces.packetKind(isKeyFrame: packet.isKeyFrame) else { return }
        var event = TraceEvent(
            subject: .consumer(consumers[consumer].key), kind: kind, time: now, isIncoming: false,
            ssrc: SSRC(consumers[consumer].stream.ssrc))
        event.payloadType = packet.payloadType
        event.sequence = UInt16(truncatingIfNeeded: sequence ?? outgoing.index)
        event.timestamp = outgoing.timestamp
        event.size = Int(packet.headerLength) + Int(packet.payloadLength)
        event.hasMarker = outgoing.hasMarker
        event.isRTX = isRTX
        report(event, on: consumers[consumer].transport)
    }

    /// An RTCP packet about a producer's stream came or went.
    func traceFeedback(
        _ kind: TraceKinds, isIncoming: Bool, of stream: Slot<IncomingStream>
    ) {
        let producer = streams[stream].producer
        guard producers[producer].traces.contains(kind) else { return }
        report(
            TraceEvent(
                subject: .producer(producers[producer].key), kind: kind, time: now, isIncoming: isIncoming,
                ssrc: streams[stream].received.ssrc), on: producers[producer].transport)
    }

    /// A consumer asked for something by RTCP.
    func traceFeedback(_ kind: TraceKinds, from consumer: Slot<ShardConsumer>) {
        guard consumers[consumer].traces.contains(kind) else { return }
        report(
            TraceEvent(
                subject: .consumer(consumers[consumer].key), kind: kind, time: now, isIncoming: true,
                ssrc: SSRC(consumers[consumer].stream.ssrc)), on: consumers[consumer].transport)
    }

    private func report(_ event: TraceEvent, on transport: Slot<MediaTransport>) {
        guard transports[transport].traceLimiter.admits(at: now),
            transports[transport].events.appendSample(.trace(event))
        else {
            return counters.add(.traceEventsDropped)
        }
    }
}

extension TraceKinds {
    /// What a packet is traced as: a key frame's first packet takes the place of a plain one.
    fileprivate func packetKind(isKeyFrame: Bool) -> TraceKinds? {
        if isKeyFrame, contains(.keyFrame) { return .keyFrame }
        return contains(.rtp) ? .rtp : nil
    }
}
