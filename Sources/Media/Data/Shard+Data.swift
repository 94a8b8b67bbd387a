// Safe: a packet is read while its array is held, and written into the shard's scratch buffer, which is longer than any.

/// Data channels' packets and messages: in from DTLS, out to every consumer.
extension Shard {
    // MARK: Packets in

    /// An application data record: one SCTP packet (RFC 8261 §4).
    mutating func applicationDataReceived(
        _ packet: [UInt8], on transport: Slot<MediaTransport>
    ) {
        guard let association = dataAssociation(of: transport) else { return counters.add(.dataUnexpected) }
        unsafe packet.withUnsafeBytes { unsafe data.associations[association].sctp.packetReceived($0, at: now) }
        dataAdvanced(association)
    }

    mutating func dataDeadlineReached(_ association: Slot<DataAssociation>) {
        if let flushesAt = data.associations[association].flushesAt, flushesAt <= now { flushDue(association) }
        if let resumesAt = data.associations[association].resumesAt {
            guard resumesAt <= now else { return }
            data.associations[association].resumesAt = nil
            awaitTurn(association)
        }
        guard let deadline = data.associations[association].sctp.nextDeadline, deadline <= now else { return }
        data.associations[association].sctp.deadlineReached(now)
        dataAdvanced(association)
    }

    /// Something went into an association: what it says is carried out, and what it sends leaves at the tick's end, behind
    /// media.
    mutating func dataAdvanced(_ association: Slot<DataAssociation>) {
        takeDataEvents(association)
        boundHeldBytes(of: association)
        awaitTurn(association)
    }

    mutating func awaitTurn(_ association: Slot<DataAssociation>) {
        guard !data.associations[association].isPending, data.associations[association].resumesAt == nil else { return }
        data.associations[association].isPending = true
        data.pending.append(association)
    }

    private mutating func takeDataEvents(_ association: Slot<DataAssociation>) {
        while let event = data.associations[association].sctp.pollEvent() {
            if data.associations[association].channelsReceived(event, at: now) {
                takeChannelEvents(association)
                continue
            }
            switch event {
            case .messageReceived(let message): received(message, by: association)
            case .incomingStreamsReset(let streams): closedByClient(streams, of: association)
            case .bufferedAmountLow(let stream):
                guard let consumer = data.associations[association].consumers[stream] else { break }
                let bytes = data.associations[association].sctp.bufferedAmount(on: stream)
                report(.bufferedAmountLow(data.consumers[consumer].key, bytes: bytes), on: association)
            case .closed(let end):
                switch end {
                case .protocolViolation, .outOfResource, .unanswered:
                    counters.add(.dataAssociationsFailed)
                    data.associations[association].hasFailed = true
                case .shutDown, .aborted, .abortedByPeer: data.associations[association].hasFailed = false
                }
                channelsEnded(association)
            case .connected:
                counters.add(.dataAssociationsConnected)
                holdAgain(association)
            case .restarted:
                holdAgain(association)
                channelsEnded(association)
            case .outgoingStreamsReset, .outgoingResetRefused, .outgoingStreams: break
            }
            takeChannelEvents(association)
        }
        let state = data.associations[association].state
        guard state != data.associations[association].reportedState else { return }
        data.associations[association].reportedState = state
        let transport = data.associations[association].transport
        transports[transport].events.append(.sctpStateChanged(transports[transport].key, state))
    }

    /// The association has begun, and holds nothing by itself.
    private mutating func holdAgain(_ association: Slot<DataAssociation>) {
        for (stream, consumer) in data.associations[association].consumers where data.consumers[consumer].isHeld {
            data.associations[association].sctp.hold(stream)
        }
    }

    func report(_ event: DataEvent, on association: Slot<DataAssociation>) {
        transports[data.associations[association].transport].events.append(.data(event))
    }

    /// The client has closed channels; their objects go with them. An empty list means all.
    func closedByClient(_ streams: [UInt16], of association: Slot<DataAssociation>) {
        func isConcerned(_ stream: UInt16) -> Bool { streams.isEmpty || streams.contains(stream) }
        // One whose messages wait is closed behind them.
        for (stream, producer) in data.associations[association].producers
        where isConcerned(stream) && data.producers[producer].heldUntil == nil {
            report(.producerClosedByClient(data.producers[producer].key), on: association)
        }
        for (stream, consumer) in data.associations[association].consumers where isConcerned(stream) {
            report(.consumerClosedByClient(data.consumers[consumer].key), on: association)
        }
    }

    /// All associations together hold so much of messages that are not whole: one that has more than its share when they do
    /// is ended.
    mutating func boundHeldBytes(of association: Slot<DataAssociation>) {
        let held = data.associations[association].held
        data.held += held - data.associations[association].heldBytes
        data.associations[association].heldBytes = held
        guard data.held > ShardData.largestHeld, held > data.heldShare else { return }
        data.associations[association].sctp.abort(.outOfResource, cause: SCTPErrorCause.outOfResource, at: now)
        takeDataEvents(association)
        data.held -= held
        data.associations[association].heldBytes = 0
    }

    // MARK: Messages

    private mutating func received(_ message: SCTPMessage, by association: Slot<DataAssociation>) {
        counters.add(.dataMessagesReceived)
        counters.add(.dataBytesReceived, UInt64(message.payload.count))
        let transport = data.associations[association].transport
        guard transports[transport].bucket.take(message.payload.count, transportRate, at: now) else {
            return counters.add(.dataDroppedRate)
        }
        guard message.payloadProtocol != .control else { return counters.add(.dataDroppedNoProducer) }
        guard let producer = data.associations[association].producers[message.stream],
            data.producers[producer].heldUntil == nil
        else { return hold(DataMessage(message), on: message.stream, of: association) }
        received(DataMessage(message), by: producer, of: association)
    }

    /// A client's message, unless it sends too many.
    mutating func received(
        _ message: DataMessage, by producer: Slot<ShardDataProducer>, of association: Slot<DataAssociation>
    ) {
        let rate = data.associations[association].messageRate
        guard data.producers[producer].take(message.payload.count, producerRate, rate, at: now) else {
            return counters.add(.dataDroppedRate)
        }
        forward(message, of: producer)
    }

    /// A message from its room.
    mutating func send(_ message: DataMessage, of key: DataProducerKey) {
        guard let producer = data.producersByKey[key.rawValue] else { return ignored() }
        forward(message, of: producer)
    }

    private mutating func forward(_ message: DataMessage, of producer: Slot<ShardDataProducer>) {
        data.producers[producer].messages &+= 1
        data.producers[producer].bytes &+= UInt64(message.count)
        guard !data.producers[producer].isPaused else { return counters.add(.dataDroppedPaused) }
        let key = data.producers[producer].key
        deliver(message, of: key)
        var shards = data.producers[producer].subscribedShards
        while shards != 0 {
            let taken = links.send(DataDelivery(producer: key, message: message), to: shards.trailingZeroBitCount)
            counters.add(taken ? .dataMessagesToOtherShards : .dataDroppedOtherShard)
            shards &= shards - 1
        }
    }

    /// Takes what the other shards sent.
    mutating func drainInbox() {
        // Bounded, so that a busy neighbor cannot keep this shard from its own sockets.
        for _ in 0..<256 {
            guard let delivery = links.inbox.removeFirst() else { return }
            deliver(delivery.message, of: delivery.producer)
        }
    }

    /// Gives a message to each consumer here that wants it.
    private mutating func deliver(_ message: DataMessage, of producer: DataProducerKey) {
        guard let feed = data.feeds[producer.rawValue] else { return }
        guard data.account.bytes + message.payload.count <= ShardData.largestQueued else {
            return counters.add(.dataDroppedMemory, UInt64(feed.count))
        }
        let block = DataBlock(count: message.payload.count, in: data.account)
        for consumer in feed where data.consumers[consumer].wants(message) {
            send(message, to: consumer, block)
        }
    }

    /// Gives a message to one consumer, from its room.
    mutating func send(_ message: DataMessage, to key: DataConsumerKey) {
        guard let consumer = data.consumersByKey[key.rawValue] else { return ignored() }
        guard data.account.bytes + message.payload.count <= ShardData.largestQueued else {
            return counters.add(.dataDroppedMemory)
        }
        send(message, to: consumer, DataBlock(count: message.payload.count, in: data.account))
    }

    private mutating func send(
        _ message: DataMessage, to consumer: Slot<ShardDataConsumer>, _ block: DataBlock
    ) {
        switch data.consumers[consumer].target {
        case .room(let events, let largest):
            guard message.payload.count <= largest,
                events.appendSample(.data(.messageReceived(data.consumers[consumer].key, message)))
            else { return dropped(consumer) }
        case .stream(let association, let settings):
            // A client that takes nothing gives way to the others when there is much in all.
            if data.isCrowded, data.associations[association].sctp.bufferedAmount > data.share {
                dropped(consumer)
                return reportFull(consumer, association)
            }
            // Nothing overtakes what opens a channel (RFC 8832 §6).
            let isBehind = data.associations[association].channels?.isUnanswered(settings.stream) ?? false
            let result = data.associations[association].sctp.send(
                SCTPMessage(
                    stream: settings.stream, payloadProtocol: PayloadProtocol(rawValue: message.payloadProtocol),
                    isUnordered: !settings.isOrdered && !isBehind, payload: message.payload),
                reliability: settings.reliability, block: block, at: now)
            switch result {
            case .queued: awaitTurn(association)
            case .bufferFull:
                dropped(consumer)
                return reportFull(consumer, association)
            case .tooLarge, .empty, .noSuchStream, .closed: return dropped(consumer)
            }
        }
        data.consumers[consumer].messages &+= 1
        data.consumers[consumer].bytes &+= UInt64(message.count)
        counters.add(.dataMessagesSent)
    }

    private mutating func dropped(_ consumer: Slot<ShardDataConsumer>) {
        data.consumers[consumer].dropped &+= 1
        counters.add(.dataDroppedSlowConsumer)
    }

    private mutating func reportFull(_ consumer: Slot<ShardDataConsumer>, _ association: Slot<DataAssociation>) {
        if let next = data.consumers[consumer].nextFullReport, next > now { return }
        data.consumers[consumer].nextFullReport = now + ShardDataConsumer.fullReportInterval
        report(.sendBufferFull(data.consumers[consumer].key), on: association)
    }

    // MARK: Packets out

    /// Sends what associations have, some packets of each: media that arrives meanwhile comes first.
    mutating func sendData() {
        guard !data.pending.isEmpty else { return }
        let turn = data.pending
        data.pending.removeAll(keepingCapacity: true)
        for association in turn where data.associations.contains(association) {
            data.associations[association].isPending = false
            if transmitData(association, atMost: ShardData.packetsPerTurn) { awaitTurn(association) }
            takeDataEvents(association)
            rescheduleTimer(of: data.associations[association].transport)
        }
    }

    /// - Returns: whether there may be more.
    mutating func transmitData(_ association: Slot<DataAssociation>, atMost limit: Int) -> Bool {
        let transport = data.associations[association].transport
        guard case .webRTC(let webRTC) = transports[transport].association else { return false }
        let rate = dataRate(of: association, beside: transports[transport].bandwidth)
        for _ in 0..<limit {
            if rate != nil, max(data.associations[association].sentUntil, now) - now > Self.dataBurst {
                data.associations[association].resumesAt = now + Self.dataBurst
                rescheduleTimer(of: transport)
                return false
            }
            guard let length = unsafe data.associations[association].sctp.pollTransmit(into: scratch, at: now) else {
                return false
            }
            // A packet without a way is lost, as others are on theirs.
            guard transports[transport].route != .none, sendData(length, on: transport, webRTC) else { continue }
            if let rate {
                let time = MediaDuration(nanoseconds: Int64(UInt64(length) * 8_000_000_000 / rate))
                data.associations[association].sentUntil = max(data.associations[association].sentUntil, now) + time
            }
        }
        return true
    }

    /// Sends the packet in the scratch buffer.
    private mutating func sendData(
        _ length: Int, on transport: Slot<MediaTransport>, _ webRTC: Slot<WebRTCAssociation>
    ) -> Bool {
        ensureCapacity()
        let packet = unsafe UnsafeRawBufferPointer(rebasing: scratch[..<length])
        let space = unsafe UnsafeMutableRawBufferPointer(start: arena.next, count: EgressBatcher.largestDatagram)
        if let sealed = unsafe webRTCAssociations[webRTC].dtls.seal(packet, into: space) {
            commit(length: sealed, to: transport)
            return true
        }
        guard unsafe webRTCAssociations[webRTC].dtls.send(Array(packet)) else { return false }
        sendDTLS(transport, webRTC)
        return true
    }

    /// Data try what a path takes as long as pictures do not suffer from it, and give way at once when they do.
    private func dataRate(
        of association: Slot<DataAssociation>, beside bandwidth: Slot<TransportBandwidth>?
    ) -> UInt64? {
        guard let bandwidth, let share = bandwidths[bandwidth].dataShare else { return nil }
        let last = data.associations[association].rate
        if !share.mayGrow || last < share.rate {
            data.associations[association].rate = share.rate
            data.associations[association].rateAt = now
        } else if now - data.associations[association].rateAt >= .milliseconds(100) {
            data.associations[association].rate = min(last + last / 4, 1 << 40)
            data.associations[association].rateAt = now
        }
        return data.associations[association].rate
    }

    /// What data may send at once while its rate is bounded, as time.
    private static let dataBurst = MediaDuration.milliseconds(10)

    // MARK: Statistics

    func dataStatistics(of webRTC: Slot<WebRTCAssociation>) -> DataTransportStatistics? {
        guard webRTCAssociations[webRTC].dataSettings != nil else { return nil }
        guard let association = webRTCAssociations[webRTC].data else { return DataTransportStatistics(state: .new) }
        var result = DataTransportStatistics(state: data.associations[association].state)
        result.bufferedAmount = data.associations[association].sctp.bufferedAmount
        result.congestionWindow = data.associations[association].sctp.congestionWindow
        result.flight = data.associations[association].sctp.flight
        result.roundTripTime = data.associations[association].sctp.roundTrip
        result.retransmittedChunks = data.associations[association].sctp.retransmittedChunks
        result.expiredMessages =
            data.associations[association].sctp.expiredMessages &+ data.associations[association].sctp.abandonedMessages
        result.oversizeMessages = data.associations[association].sctp.oversizeMessages
        for producer in data.associations[association].producers.values {
            result.producers.append(
                DataProducerStatistics(
                    key: data.producers[producer].key, messagesReceived: data.producers[producer].messages,
                    bytesReceived: data.producers[producer].bytes,
                    messagesDropped: data.producers[producer].refused))
        }
        for (stream, consumer) in data.associations[association].consumers {
            result.consumers.append(
                DataConsumerStatistics(
                    key: data.consumers[consumer].key, messagesSent: data.consumers[consumer].messages,
                    bytesSent: data.consumers[consumer].bytes, messagesDropped: data.consumers[consumer].dropped,
                    bufferedAmount: data.associations[association].sctp.bufferedAmount(on: stream)))
        }
        return result
    }
}
