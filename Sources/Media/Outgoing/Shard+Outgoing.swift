// Safe: template and payload stay as they are while a packet is forwarded; what a cache returns is read before it changes.

/// Fan-out: each consumer's stream decides on each packet, and what it decides is done here.
extension Shard {
    /// Gives a packet to every consumer of its producer on this shard.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) {
        guard let feed = feedsByKey[packet.producer], Int(packet.encoding) < feeds[feed].encodings.count else {
            return
        }
        if feeds[feed].packetArrived(packet, isMeasured: bandwidths.count > 0, at: now) {
            unsafe store(packet, template: template, payload: payload, at: now, in: feed)
        }
        let receivers = feeds[feed].consumers
        let count = receivers.count
        for index in 0..<count {
            // Each consumer's state is cold: thousands of packets went by since its last turn, or none for milliseconds.
            // What the next ones need is fetched while this one is sealed; each step reaches one further.
            if index + 3 < count {
                consumers.prefetch(receivers[index + 3], bytes: MemoryLayout<ShardConsumer>.size)
            }
            if index + 2 < count {
                transports.prefetch(consumers[receivers[index + 2]].transport, bytes: MediaTransport.hotBytes)
            }
            if index + 1 < count {
                transports[consumers[receivers[index + 1]].transport].protection.prefetch()
            }
            unsafe forward(packet, template: template, payload: payload, of: feed, to: receivers[index])
        }
    }

    /// Gives a packet to one consumer.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        of feed: Slot<ProducerFeed>, to consumer: Slot<ShardConsumer>
    ) {
        let hasMarker = unsafe template[1] & 0x80 != 0
        let step = consumers[consumer].stream.packetArrived(packet, hasMarker: hasMarker, of: feeds[feed], at: now)
        switch step {
        case .drop: break
        case .refuse(let reason): counters.add(reason)
        case .send(let outgoing): unsafe send(outgoing, of: packet, template: template, payload: payload, to: consumer)
        case .begin(let outgoing, let isScoreReset):
            if isScoreReset { consumerScoreChanged(consumer) }
            unsafe send(outgoing, of: packet, template: template, payload: payload, to: consumer)
            sendHeld(after: packet, of: feed, to: consumer)
            pictureBegan(consumer)
        case .awaitKeyFrame(let isStarting):
            if isStarting { counters.add(.awaitingKeyFrame) }
            askForWantedKeyFrame(consumer)
        case .requestKeyFrame(let encoding): askForKeyFrame(.receiver, of: encoding, .change, for: consumer)
        case .catchUp(.sendCached): sendCached(atMost: Self.nextPartOfGOP, to: consumer)
        case .catchUp(.sendMissing):
            unsafe forward(packet, template: template, payload: payload, of: feed, to: consumer)
            sendCached(atMost: Self.nextPartOfGOP, to: consumer)
        case .catchUp(.leaveCache):
            caughtUp(consumer)
            unsafe forward(packet, template: template, payload: payload, of: feed, to: consumer)
        }
    }

    /// Sends a packet as its stream decided: the one way from decision to seal. A pacer would hold `outgoing` back here,
    /// with the packet's place in its feed's cache, and a tap would take it in the clear.
    @inline(__always)
    private mutating func send(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, template: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, to consumer: Slot<ShardConsumer>
    ) {
        guard unsafe seal(outgoing, of: packet, template: template, payload: payload, for: consumer) else { return }
        unsafe consumers[consumer].stream.packetSent(outgoing, of: packet, hadMarker: template[1] & 0x80 != 0, at: now)
        guard !outgoing.isPaddingOnly else { return }
        let transport = consumers[consumer].transport
        transports[transport].traffic.rtpSent &+= UInt64(packet.headerLength) + UInt64(packet.payloadLength)
        if transports[transport].reports.isAsleep { wakeReports(of: transport) }
        counters.add(.packetsForwarded)
        if consumers[consumer].stream.kind == .audio { counters.add(.audioPacketsForwarded) }
        if !consumers[consumer].traces.isEmpty { traceSent(outgoing, of: packet, to: consumer) }
    }

    /// Sends what came before its key frame's first packet and follows it.
    private mutating func sendHeld(
        after first: PreparedPacket, of feed: Slot<ProducerFeed>,
        to consumer: Slot<ShardConsumer>
    ) {
        let last = consumers[consumer].stream.heldThrough
        var number = first.sequence &+ 1
        while number <= last {
            if let held = unsafe feeds[feed].cache.find(number, of: Int(first.encoding), at: now) {
                unsafe forward(held.packet, template: held.template, payload: held.payload, of: feed, to: consumer)
            }
            number &+= 1
        }
    }

    /// Sends a consumer's packet again, if it may be and still can.
    mutating func resend(_ sequence: UInt16, to consumer: Slot<ShardConsumer>) {
        let feed = consumers[consumer].feed
        guard let (index, original) = consumers[consumer].stream.original(ofRequested: sequence),
            Int(original.source) < feeds[feed].cache.count,
            let found = unsafe feeds[feed].cache.find(original.extended, of: Int(original.source), at: now),
            let outgoing = unsafe consumers[consumer].stream.retransmit(
                index, found.packet, hadMarker: found.template[1] & 0x80 != 0, at: now),
            unsafe seal(outgoing, of: found.packet, template: found.template, payload: found.payload, for: consumer)
        else { return }
        let payloadLength = unsafe outgoing.isPaddingOnly ? 0 : found.payload.count - Int(found.packet.paddingLength)
        consumers[consumer].stream.sent.packetRetransmitted(payloadLength: payloadLength, at: now)
        let transport = consumers[consumer].transport
        unsafe transports[transport].traffic.rtxSent &+= UInt64(found.template.count + payloadLength)
        counters.add(.packetsRetransmitted)
        if !consumers[consumer].traces.isEmpty {
            unsafe traceSent(outgoing, of: found.packet, isRTX: true, sequence: index, to: consumer)
        }
    }
}
