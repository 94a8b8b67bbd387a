// Safe: pointers to consumers and feeds are the shard's own (`Shard+Lifetimes`).

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
    mutating func updateFlow(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        let transport = consumer.pointee.transport
        let runs = consumer.pointee.wantsMedia && transport.pointee.sendsMedia
        if consumer.pointee.wantsMedia, !runs, transport.pointee.isReady { warnOfDestination(of: transport) }
        switch (consumer.pointee.stream.flow, runs) {
        case (.stopped, true):
            consumer.pointee.stream.start()
            start(consumer)
        case (.awaitingKeyFrame, false), (.catchingUp, false), (.flowing, false):
            consumer.pointee.stream.stop(consumer.pointee.feed.pointee)
        default: break
        }
    }

    /// A consumer may begin: with what is cached, or with a key frame asked for now.
    mutating func start(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        if beginCached(consumer) { return }
        // If the other shard's cached packets get lost, a key frame is asked for soon all the same.
        if consumer.pointee.feed.pointee.isAwaitingCachedPackets { return list(consumer) }
        askForKeyFrames(for: consumer, consumer.pointee.stream.need)
    }

    /// Starts a consumer that has had nothing yet, if its feed has a GOP to start with.
    private mutating func beginCached(_ consumer: UnsafeMutablePointer<ShardConsumer>) -> Bool {
        let feed = consumer.pointee.feed
        guard feed.pointee.kind == .video, !feed.pointee.isAwaitingCachedPackets, consumer.pointee.stream.isNew else {
            return false
        }
        consumer.pointee.stream.updateTarget(feed.pointee.encodings, at: now)
        guard let encoding = consumer.pointee.stream.wantedKeyFrame,
            let first = feed.pointee.cache.firstOfGOP(of: encoding, at: now)
        else { return false }
        consumer.pointee.stream.beginCached(from: first)
        sendCached(of: encoding, atMost: Self.firstPartOfGOP, to: consumer)
        if case .catchingUp = consumer.pointee.stream.flow {
            catchingUp.append(consumer)
            if nextCatchUp == nil { nextCatchUp = now + Self.catchUpInterval }
        }
        return consumer.pointee.stream.hasBegun
    }

    /// Sends more to the consumers that catch up, whatever arrives.
    mutating func sendCachedGOPs() {
        for consumer in catchingUp {
            guard case .catchingUp = consumer.pointee.stream.flow else { continue }
            sendCached(atMost: Self.timedPartOfGOP, to: consumer)
        }
        catchingUp.removeAll {
            if case .catchingUp = $0.pointee.stream.flow { false } else { true }
        }
        nextCatchUp = catchingUp.isEmpty ? nil : now + Self.catchUpInterval
    }

    mutating func sendCached(atMost limit: Int, to consumer: UnsafeMutablePointer<ShardConsumer>) {
        sendCached(of: consumer.pointee.stream.currentEncoding ?? 0, atMost: limit, to: consumer)
    }

    private mutating func sendCached(
        of encoding: Int, atMost limit: Int, to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        let feed = consumer.pointee.feed
        let end = consumer.pointee.stream.sent.packetsSent &+ UInt64(limit)
        consumer.pointee.stream.resumeCached()
        while let newest = feed.pointee.cache.newest(of: encoding), consumer.pointee.stream.nextCached <= newest {
            guard consumer.pointee.stream.sent.packetsSent < end else { return consumer.pointee.stream.pauseCached() }
            if let found = feed.pointee.cache.find(consumer.pointee.stream.nextCached, of: encoding, at: now) {
                guard consumer.pointee.stream.accepts(found.packet.payloadType) else { break }
                forward(found.packet, template: found.template, payload: found.payload, of: feed, to: consumer)
                guard case .flowing = consumer.pointee.stream.flow else { break }
            }
            consumer.pointee.stream.nextCached &+= 1
        }
        caughtUp(consumer)
    }

    /// From here on the consumer is sent what arrives, in the layers that it prefers.
    mutating func caughtUp(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        consumer.pointee.stream.caughtUp()
        updateSelection(consumer)
    }
}
