/// Consumers that join begin with the newest group of pictures (GOP): its key frame and all that followed are kept for
/// repairs anyway. So they have a picture at once, and a crowd of them costs the publisher no more than one of them does.
///
/// The GOP is sent faster than it was received, but not all at once, which a receiver's socket and link would not take: a
/// first part, then some for each packet that arrives. Of temporal layers only the base is sent until the consumer is level
/// with the others.
extension Shard {
    /// Packets that are sent at once: mostly the key frame and some more, less than browsers' sockets hold.
    static let firstPartOfGOP = 48
    /// Packets that are sent for each one that arrives.
    static let nextPartOfGOP = 4
    /// If little arrives, as of a still screen: further ones after this time.
    static let catchUpInterval = MediaDuration.milliseconds(20)
    static let timedPartOfGOP = 8

    /// Starts or stops a consumer as its pauses and its transport allow.
    mutating func updateFlow(_ consumer: Slot<ShardConsumer>) {
        let transport = consumers[consumer].transport
        let wants = consumers[consumer].wantsMedia && !consumers[consumer].isPausedForBudget
        let runs = wants && sendsMedia(transport)
        if wants, !runs, transports[transport].isReady { warnOfDestination(of: transport) }
        switch (consumers[consumer].stream.flow, runs) {
        case (.stopped, true):
            consumers[consumer].stream.start()
            start(consumer)
        case (.awaitingKeyFrame, false), (.catchingUp, false), (.flowing, false):
            consumers[consumer].stream.stop(feeds[consumers[consumer].feed])
        default: break
        }
    }

    /// A consumer may begin: with what is cached, or with a key frame asked for now.
    mutating func start(_ consumer: Slot<ShardConsumer>) {
        if beginCached(consumer) { return }
        // If the other shard's cached packets get lost, a key frame is asked for soon all the same.
        if feeds[consumers[consumer].feed].isAwaitingCachedPackets { return list(consumer) }
        askForKeyFrames(for: consumer, consumers[consumer].stream.urgency)
    }

    /// Starts a consumer that has had nothing yet, if its feed has a GOP to start with.
    private mutating func beginCached(_ consumer: Slot<ShardConsumer>) -> Bool {
        let feed = consumers[consumer].feed
        guard feeds[feed].kind == .video, !feeds[feed].isAwaitingCachedPackets, consumers[consumer].stream.isNew else {
            return false
        }
        consumers[consumer].stream.updateTarget(feeds[feed].encodings, at: now)
        guard let encoding = consumers[consumer].stream.wantedKeyFrame,
            let first = feeds[feed].cache.firstOfGOP(of: encoding, at: now)
        else { return false }
        consumers[consumer].stream.beginCached(from: first)
        sendCached(of: encoding, atMost: Self.firstPartOfGOP, to: consumer)
        if case .catchingUp = consumers[consumer].stream.flow {
            catchingUp.append(consumer)
            if nextCatchUp == nil { nextCatchUp = now + Self.catchUpInterval }
        }
        return consumers[consumer].stream.hasBegun
    }

    /// Sends more to the consumers that catch up, whatever arrives.
    mutating func sendCachedGOPs() {
        for consumer in catchingUp {
            guard case .catchingUp = consumers[consumer].stream.flow else { continue }
            sendCached(atMost: Self.timedPartOfGOP, to: consumer)
        }
        catchingUp.removeAll {
            if case .catchingUp = consumers[$0].stream.flow { false } else { true }
        }
        nextCatchUp = catchingUp.isEmpty ? nil : now + Self.catchUpInterval
    }

    mutating func sendCached(atMost limit: Int, to consumer: Slot<ShardConsumer>) {
        sendCached(of: consumers[consumer].stream.currentEncoding ?? 0, atMost: limit, to: consumer)
    }

    private mutating func sendCached(of encoding: Int, atMost limit: Int, to consumer: Slot<ShardConsumer>) {
        let transport = consumers[consumer].transport
        guard let bandwidth = transports[transport].bandwidth else {
            return sendCachedPackets(of: encoding, atMost: limit, to: consumer)
        }
        let taken = bandwidths[bandwidth].takeBurst(of: limit, at: now)
        // What begins does so with the key frame's first packet, whatever else is sent meanwhile: before that there is
        // nothing to go on with.
        let least = consumers[consumer].stream.hasBegun ? 0 : 1
        let before = transports[transport].traffic.rtpSent
        sendCachedPackets(of: encoding, atMost: max(taken, least), to: consumer)
        bandwidths[bandwidth].burstSent(Int(transports[transport].traffic.rtpSent &- before), of: taken)
    }

    private mutating func sendCachedPackets(
        of encoding: Int, atMost limit: Int, to consumer: Slot<ShardConsumer>
    ) {
        let feed = consumers[consumer].feed
        let end = consumers[consumer].stream.sent.packetsSent &+ UInt64(limit)
        consumers[consumer].stream.resumeCached()
        while let newest = feeds[feed].cache.newest(of: encoding), consumers[consumer].stream.nextCached <= newest {
            guard consumers[consumer].stream.sent.packetsSent < end else {
                return consumers[consumer].stream.pauseCached()
            }
            if let found = unsafe feeds[feed].cache.find(consumers[consumer].stream.nextCached, of: encoding, at: now) {
                guard unsafe consumers[consumer].stream.accepts(found.packet.payloadType) else { break }
                unsafe forward(found.packet, template: found.template, payload: found.payload, of: feed, to: consumer)
                guard case .flowing = consumers[consumer].stream.flow else { break }
            }
            consumers[consumer].stream.nextCached &+= 1
        }
        caughtUp(consumer)
    }

    /// From here on the consumer is sent what arrives, in the layers that it prefers.
    mutating func caughtUp(_ consumer: Slot<ShardConsumer>) {
        consumers[consumer].stream.caughtUp()
        updateSelection(consumer)
    }
}
