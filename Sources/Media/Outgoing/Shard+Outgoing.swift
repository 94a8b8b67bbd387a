import CPrefetch

// Safe: template and payload stay as they are while a packet is forwarded; consumers are the shard's own
// (`Shard+Lifetimes`), and at most `count` of a feed's are read.

/// Fan-out: each consumer's stream decides on each packet, and what it decides is done here.
extension Shard {
    /// Gives a packet to every consumer of its producer on this shard.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) {
        guard let feed = feedsByKey[packet.producer], Int(packet.encoding) < feed.pointee.encodings.count else {
            return
        }
        if feed.pointee.packetArrived(packet, at: now) {
            store(packet, template: template, payload: payload, at: now, in: feed)
        }
        let count = feed.pointee.count
        let consumers = feed.pointee.consumers
        for index in 0..<count {
            // Each consumer's state is cold: thousands of packets went by since its last turn, or none for milliseconds.
            // What the next ones need is fetched while this one is sealed; each step reaches one pointer further.
            if index + 3 < count { cpf_prefetch(consumers[index + 3], UInt32(MemoryLayout<ShardConsumer>.size)) }
            if index + 2 < count { MediaTransport.prefetch(consumers[index + 2].pointee.transport) }
            if index + 1 < count { consumers[index + 1].pointee.transport.pointee.protection.prefetch() }
            forward(packet, template: template, payload: payload, of: feed, to: consumers[index])
        }
    }

    /// Gives a packet to one consumer.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        of feed: UnsafeMutablePointer<ProducerFeed>, to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        let hasMarker = template[1] & 0x80 != 0
        let step = consumer.pointee.stream.packetArrived(packet, hasMarker: hasMarker, of: feed.pointee, at: now)
        switch step {
        case .drop: break
        case .refuse(let reason): counters.add(reason)
        case .send(let outgoing): send(outgoing, of: packet, template: template, payload: payload, to: consumer)
        case .begin(let outgoing, let isScoreReset):
            if isScoreReset { consumerScoreChanged(consumer) }
            send(outgoing, of: packet, template: template, payload: payload, to: consumer)
            sendHeld(after: packet, of: feed, to: consumer)
        case .awaitKeyFrame(let isStarting):
            if isStarting { counters.add(.awaitingKeyFrame) }
            askForWantedKeyFrame(consumer)
        case .requestKeyFrame(let encoding): askForKeyFrame(.receiver, of: encoding, .change, for: consumer)
        case .catchUp(.sendCached): sendCached(atMost: Self.nextPartOfGOP, to: consumer)
        case .catchUp(.sendMissing):
            forward(packet, template: template, payload: payload, of: feed, to: consumer)
            sendCached(atMost: Self.nextPartOfGOP, to: consumer)
        case .catchUp(.leaveCache):
            caughtUp(consumer)
            forward(packet, template: template, payload: payload, of: feed, to: consumer)
        }
    }

    /// Sends a packet as its stream decided: the one way from decision to seal. A pacer would hold `outgoing` back here,
    /// with the packet's place in its feed's cache, and a tap would take it in the clear.
    @inline(__always)
    private mutating func send(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, template: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        guard seal(outgoing, of: packet, template: template, payload: payload, for: consumer) else { return }
        consumer.pointee.stream.packetSent(outgoing, of: packet, hadMarker: template[1] & 0x80 != 0, at: now)
        guard !outgoing.isPaddingOnly else { return }
        let transport = consumer.pointee.transport
        transport.pointee.traffic.rtpSent &+= UInt64(packet.headerLength) + UInt64(packet.payloadLength)
        counters.add(.packetsForwarded)
        if !consumer.pointee.traces.isEmpty { traceSent(outgoing, of: packet, to: consumer) }
    }

    /// Sends what came before its key frame's first packet and follows it.
    private mutating func sendHeld(
        after first: PreparedPacket, of feed: UnsafeMutablePointer<ProducerFeed>,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        let last = consumer.pointee.stream.heldThrough
        var number = first.sequence &+ 1
        while number <= last {
            if let held = feed.pointee.cache.find(number, of: Int(first.encoding), at: now) {
                forward(held.packet, template: held.template, payload: held.payload, of: feed, to: consumer)
            }
            number &+= 1
        }
    }

    /// Sends a consumer's packet again, if it may be and still can.
    mutating func resend(_ sequence: UInt16, to consumer: UnsafeMutablePointer<ShardConsumer>) {
        let feed = consumer.pointee.feed
        guard let (index, original) = consumer.pointee.stream.original(ofRequested: sequence),
            Int(original.source) < feed.pointee.cache.count,
            let found = feed.pointee.cache.find(original.extended, of: Int(original.source), at: now),
            let outgoing = consumer.pointee.stream.retransmit(
                index, found.packet, hadMarker: found.template[1] & 0x80 != 0, at: now),
            seal(outgoing, of: found.packet, template: found.template, payload: found.payload, for: consumer)
        else { return }
        let payloadLength = outgoing.isPaddingOnly ? 0 : found.payload.count - Int(found.packet.paddingLength)
        consumer.pointee.stream.sent.packetRetransmitted(payloadLength: payloadLength, at: now)
        let transport = consumer.pointee.transport
        transport.pointee.traffic.rtxSent &+= UInt64(found.template.count + payloadLength)
        counters.add(.packetsRetransmitted)
        if !consumer.pointee.traces.isEmpty {
            traceSent(outgoing, of: found.packet, isRTX: true, sequence: index, to: consumer)
        }
    }
}
