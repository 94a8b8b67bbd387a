// Safe: what a cache returns is read before the cache changes; `scratch` has room for what is joined in it.

/// Producers' feeds: their caches, and what shards give one another of them.
extension Shard {
    /// Stores a packet in its feed's cache.
    /// - Parameter time: when it was received.
    mutating func store(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        at time: MediaInstant, in feed: Slot<ProducerFeed>
    ) {
        // The template lies in the scratch buffer's first bytes or in a ring; the pieces go behind it, contiguous.
        let joined = unsafe UnsafeMutableRawBufferPointer(
            rebasing: scratch[HeaderTemplate.largestLength..<scratch.count])
        let bytes = unsafe StoredPacket.write(packet, template: template, payload: payload, to: joined)
        unsafe feeds[feed].cache.store(packet, bytes, at: time)
        if nextSweep == nil { nextSweep = now + Self.sweepInterval }
    }

    /// How often memory of what has become too old is looked for, while there is any.
    static let sweepInterval = MediaDuration.seconds(1)

    /// An encoding's sender reported, or came back, on the producer's shard.
    mutating func encodingAdvanced(_ key: UInt64, encoding: Int, to state: SourceEncodings.Encoding) {
        guard let feed = feedsByKey[key] else { return }
        feeds[feed].encodings.advanced(encoding: encoding, to: state)
    }

    mutating func encodingRestarted(_ key: UInt64, encoding: Int) {
        guard let feed = feedsByKey[key] else { return }
        feeds[feed].encodingRestarted(encoding)
        for consumer in feeds[feed].consumers { consumers[consumer].stream.encodingRestarted(encoding) }
    }

    /// Gives back the memory of streams that have stopped, whichever shard their producers are on.
    mutating func sweepFeeds() {
        nextSweep = nil
        for index in feeds.indices {
            guard let feed = feeds.slot(at: index), feeds[feed].cache.holdsMemory else { continue }
            feeds[feed].cache.removeExpired(at: now)
            if feeds[feed].cache.holdsMemory { nextSweep = now + Self.sweepInterval }
        }
    }

    // MARK: Cached packets between shards

    /// Gives the newest GOPs of a producer that lives here to a shard that has its first consumer of it.
    mutating func sendCachedGOPs(of producer: Slot<ShardProducer>, to shard: Int) {
        guard producers[producer].settings.kind == .video, shard != index else { return }
        let key = producers[producer].key.rawValue
        var complete: UInt64 = 0
        if let feed = feedsByKey[key] {
            for encoding in 0..<feeds[feed].cache.count {
                guard let first = feeds[feed].cache.firstOfGOP(of: encoding, at: now) else { continue }
                // A GOP with a hole is no use, and the ring has to take what arrives meanwhile, too.
                guard sendCachedGOP(from: first, of: encoding, in: feed, to: shard) else { break }
                complete |= 1 << UInt64(encoding)
            }
        }
        send(.cachedPacketsEnd(producer: key, completeEncodings: complete), to: shard)
    }

    private func sendCachedGOP(
        from first: UInt64, of encoding: Int, in feed: Slot<ProducerFeed>, to shard: Int
    ) -> Bool {
        guard let newest = feeds[feed].cache.newest(of: encoding) else { return false }
        var number = first
        while number <= newest {
            if let found = unsafe feeds[feed].cache.find(number, of: encoding, at: now) {
                let age = unsafe UInt32(clamping: max(found.age.milliseconds, 0))
                let message = unsafe ShardMessage.cachedPacket(
                    found.packet, template: found.template, payload: found.payload, age: age)
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
        guard let feed = feedsByKey[packet.producer], Int(packet.encoding) < feeds[feed].cache.count else { return }
        let age = min(UInt64(age) * 1_000_000, now.nanoseconds)
        let time = MediaInstant(nanoseconds: now.nanoseconds - age)
        unsafe store(packet, template: template, payload: payload, at: time, in: feed)
    }

    /// Consumers that waited for the packets another shard has cached can begin now, or ask for a key frame.
    /// - Parameter complete: a bit for each encoding of which a whole GOP came.
    mutating func cachedPacketsEnded(_ key: UInt64, complete: UInt64) {
        guard let feed = feedsByKey[key], feeds[feed].isAwaitingCachedPackets else { return }
        feeds[feed].isAwaitingCachedPackets = false
        for encoding in 0..<feeds[feed].cache.count where complete & 1 << UInt64(encoding) == 0 {
            feeds[feed].cache.forgetGOP(of: encoding)
        }
        for consumer in feeds[feed].consumers {
            if case .awaitingKeyFrame = consumers[consumer].stream.flow { start(consumer) }
        }
    }
}
