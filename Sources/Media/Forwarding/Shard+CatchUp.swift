// Safe: pointers to consumers and sources are the shard's own (`Shard+Lifetimes`); what a retransmission buffer returns is
// read before the buffer changes.

/// Consumers that join begin with the newest group of pictures: its key frame and all that followed are kept for repairs
/// anyway. So they have a picture at once, and a crowd of them costs the publisher no more than one of them does.
///
/// The group is sent faster than it was received, but not all at once, which a receiver's socket and link would not take:
/// a first part, then some for each packet that arrives. Of layers in time only the base is sent until the consumer is
/// level with the others.
extension Shard {
    /// Packets that are sent at once: mostly the key frame and some more, less than browsers' sockets hold.
    static let firstPartOfGroup = 48
    /// Packets that are sent for each one that arrives.
    static let nextPartOfGroup = 4
    /// Where little arrives, as of a still screen: further ones after this time.
    static let catchUpInterval = MediaDuration.milliseconds(20)
    static let timedPartOfGroup = 8

    /// A consumer may begin: with what is kept, or with a key frame asked for now.
    mutating func start(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        if beginWithGroup(consumer) { return }
        // If what the other shard says of them gets lost, a key frame is asked for soon all the same.
        if consumer.pointee.source.pointee.isAwaitingKeptPackets { return list(consumer) }
        askForKeyFrames(for: consumer, consumer.pointee.need)
    }

    /// Starts a consumer that has had nothing yet, if its source has a group of pictures to start with.
    private mutating func beginWithGroup(_ consumer: UnsafeMutablePointer<ShardConsumer>) -> Bool {
        let source = consumer.pointee.source
        guard source.pointee.kind == .video, !source.pointee.isAwaitingKeptPackets,
            consumer.pointee.isNew
        else { return false }
        if let selection = consumer.pointee.selection, selection.pointee.kind == .encodings {
            selection.pointee.encodings.updateTarget(source.pointee.activity, at: now)
        }
        guard let encoding = consumer.pointee.wantedKeyFrame,
            let first = source.pointee.firstOfGroup(of: encoding, at: now)
        else { return false }
        consumer.pointee.nextOfGroup = first
        consumer.pointee.selection?.pointee.limitToBase(true)
        sendGroup(of: encoding, atMost: Self.firstPartOfGroup, to: consumer)
        if case .catchingUp = consumer.pointee.flow {
            catchingUp.append(consumer)
            if nextCatchUp == nil { nextCatchUp = now + Self.catchUpInterval }
        }
        return consumer.pointee.hasBegun
    }

    /// Sends more to those who catch up, whatever arrives.
    mutating func sendGroups() {
        for consumer in catchingUp {
            guard case .catchingUp = consumer.pointee.flow else { continue }
            sendGroup(of: consumer.pointee.currentEncoding ?? 0, atMost: Self.timedPartOfGroup, to: consumer)
        }
        catchingUp.removeAll {
            if case .catchingUp = $0.pointee.flow { false } else { true }
        }
        nextCatchUp = catchingUp.isEmpty ? nil : now + Self.catchUpInterval
    }

    /// A packet arrived for a consumer that catches up: it lies behind others in the retransmission buffer, whose turn it is.
    mutating func catchUp(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        _ consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        let encoding = consumer.pointee.currentEncoding ?? 0
        guard Int(packet.encoding) == encoding else { return }
        let next = consumer.pointee.nextOfGroup
        if packet.sequence < next || packet.sequence - next >= UInt64(RetransmissionBuffer.maxPackets) {
            // It was missing in what was sent already; or the sender numbers anew.
            let isLevel = packet.sequence >= next
            consumer.pointee.flow = .flowing
            if isLevel { caughtUp(consumer) }
            choose(packet, template: template, payload: payload, for: consumer)
            if isLevel { return }
        }
        sendGroup(of: encoding, atMost: Self.nextPartOfGroup, to: consumer)
    }

    private mutating func sendGroup(
        of encoding: Int, atMost limit: Int, to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        let history = consumer.pointee.source.pointee.histories + encoding
        let end = consumer.pointee.stream.packetsSent &+ UInt64(limit)
        if case .catchingUp = consumer.pointee.flow { consumer.pointee.flow = .flowing }
        while let newest = history.pointee.newest, consumer.pointee.nextOfGroup <= newest {
            guard consumer.pointee.stream.packetsSent < end else {
                consumer.pointee.flow = .catchingUp
                return
            }
            if let stored = history.pointee.find(extended: consumer.pointee.nextOfGroup, at: now),
                let (packet, template, payload) = StoredPacket.read(stored.bytes)
            {
                guard consumer.pointee.accepts(packet.payloadType) else { break }
                choose(packet, template: template, payload: payload, for: consumer)
                guard case .flowing = consumer.pointee.flow else { break }
            }
            consumer.pointee.nextOfGroup &+= 1
        }
        caughtUp(consumer)
    }

    /// From here on the consumer gets what arrives, in the layers that it prefers.
    private mutating func caughtUp(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        consumer.pointee.selection?.pointee.limitToBase(false)
        updateSelection(consumer)
    }

    /// Gives back the memory of a transport's streams that have stopped.
    func releaseExpired(of transport: UnsafeMutablePointer<MediaTransport>) {
        for producer in transport.pointee.producers {
            guard let source = sourcesByKey[producer.pointee.key.rawValue] else { continue }
            for encoding in 0..<source.pointee.encodings {
                let history = source.pointee.histories + encoding
                history.pointee.removeExpired(at: now)
            }
        }
    }

    // MARK: Between shards

    /// Gives the newest groups of pictures of a producer that lives here to a shard that has its first consumer of it.
    mutating func giveKeptPackets(of producer: UnsafeMutablePointer<ShardProducer>, to shard: Int) {
        guard producer.pointee.settings.kind == .video, shard != index else { return }
        let key = producer.pointee.key.rawValue
        var whole: UInt64 = 0
        if let source = sourcesByKey[key] {
            for encoding in 0..<source.pointee.encodings {
                guard let first = source.pointee.firstOfGroup(of: encoding, at: now) else { continue }
                // A group with a hole is no use, and the ring has to take what arrives meanwhile, too.
                guard giveGroup(from: first, of: source.pointee.histories + encoding, to: shard) else { break }
                whole |= 1 << UInt64(encoding)
            }
        }
        send(.cachedPacketsEnd(producer: key, completeEncodings: whole), to: shard)
    }

    private func giveGroup(
        from first: UInt64, of history: UnsafeMutablePointer<RetransmissionBuffer>, to shard: Int
    ) -> Bool {
        guard let newest = history.pointee.newest else { return false }
        var number = first
        while number <= newest {
            if let stored = history.pointee.find(extended: number, at: now),
                let (packet, template, payload) = StoredPacket.read(stored.bytes)
            {
                let age = UInt32(clamping: max((now - stored.storedAt).milliseconds, 0))
                let message = ShardMessage.cachedPacket(packet, template: template, payload: payload, age: age)
                guard links.send(message, to: shard) else { return false }
            }
            number &+= 1
        }
        return true
    }

    /// A packet that was received before this shard had consumers of its producer.
    /// - Parameter age: milliseconds since it was received.
    mutating func cachedPacketReceived(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, age: UInt32
    ) {
        guard let source = sourcesByKey[packet.producer], Int(packet.encoding) < source.pointee.encodings else {
            return
        }
        let age = min(UInt64(age) * 1_000_000, now.nanoseconds)
        let time = MediaInstant(nanoseconds: now.nanoseconds - age)
        remember(packet, template: template, payload: payload, at: time, in: source)
    }

    /// Consumers that waited for what another shard keeps can begin now, or ask for a key frame.
    /// - Parameter complete: a bit for each encoding of which a whole group of pictures came.
    mutating func cachedPacketsEnded(_ key: UInt64, complete: UInt64) {
        guard let source = sourcesByKey[key], source.pointee.isAwaitingKeptPackets else { return }
        source.pointee.isAwaitingKeptPackets = false
        for encoding in 0..<source.pointee.encodings where complete & 1 << UInt64(encoding) == 0 {
            source.pointee.forgetGroup(of: encoding)
        }
        for index in 0..<source.pointee.count {
            let consumer = source.pointee.consumers[index]
            if case .awaitingKeyFrame = consumer.pointee.flow { start(consumer) }
        }
    }
}
