// Safe: pointers to producers, feeds and consumers are the shard's own (`Shard+Lifetimes`); what a cache returns is read
// before the cache changes.

/// Producers' feeds: their caches, and what shards give one another of them.
extension Shard {
    /// Stores a packet in its feed's cache.
    /// - Parameter time: when it was received.
    mutating func store(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        at time: MediaInstant, in feed: UnsafeMutablePointer<ProducerFeed>
    ) {
        // The template lies in the scratch buffer's first bytes or in a ring; the pieces go behind it, contiguous.
        let joined = UnsafeMutableRawBufferPointer(rebasing: scratch[HeaderTemplate.largestLength..<scratch.count])
        let bytes = StoredPacket.write(packet, template: template, payload: payload, to: joined)
        feed.pointee.cache.store(packet, bytes, at: time)
    }

    /// An encoding's sender reported, or came back, on the producer's shard.
    mutating func encodingAdvanced(_ key: UInt64, encoding: Int, to state: SourceEncodings.Encoding) {
        feedsByKey[key]?.pointee.encodings.advanced(encoding: encoding, to: state)
    }

    mutating func encodingRestarted(_ key: UInt64, encoding: Int) {
        guard let feed = feedsByKey[key] else { return }
        feed.pointee.encodingRestarted(encoding)
        for index in 0..<feed.pointee.count { feed.pointee.consumers[index].pointee.stream.encodingRestarted(encoding) }
    }

    /// Gives back the memory of a transport's streams that have stopped.
    func releaseExpired(of transport: UnsafeMutablePointer<MediaTransport>) {
        for producer in transport.pointee.producers {
            feedsByKey[producer.pointee.key.rawValue]?.pointee.cache.removeExpired(at: now)
        }
    }

    // MARK: Cached packets between shards

    /// Gives the newest GOPs of a producer that lives here to a shard that has its first consumer of it.
    mutating func sendCachedGOPs(of producer: UnsafeMutablePointer<ShardProducer>, to shard: Int) {
        guard producer.pointee.settings.kind == .video, shard != index else { return }
        let key = producer.pointee.key.rawValue
        var complete: UInt64 = 0
        if let feed = feedsByKey[key] {
            for encoding in 0..<feed.pointee.cache.count {
                guard let first = feed.pointee.cache.firstOfGOP(of: encoding, at: now) else { continue }
                // A GOP with a hole is no use, and the ring has to take what arrives meanwhile, too.
                guard sendCachedGOP(from: first, of: encoding, in: feed, to: shard) else { break }
                complete |= 1 << UInt64(encoding)
            }
        }
        send(.cachedPacketsEnd(producer: key, completeEncodings: complete), to: shard)
    }

    private func sendCachedGOP(
        from first: UInt64, of encoding: Int, in feed: UnsafeMutablePointer<ProducerFeed>, to shard: Int
    ) -> Bool {
        guard let newest = feed.pointee.cache.newest(of: encoding) else { return false }
        var number = first
        while number <= newest {
            if let found = feed.pointee.cache.find(number, of: encoding, at: now) {
                let age = UInt32(clamping: max(found.age.milliseconds, 0))
                let message = ShardMessage.cachedPacket(
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
        guard let feed = feedsByKey[packet.producer], Int(packet.encoding) < feed.pointee.cache.count else { return }
        let age = min(UInt64(age) * 1_000_000, now.nanoseconds)
        let time = MediaInstant(nanoseconds: now.nanoseconds - age)
        store(packet, template: template, payload: payload, at: time, in: feed)
    }

    /// Consumers that waited for the packets another shard has cached can begin now, or ask for a key frame.
    /// - Parameter complete: a bit for each encoding of which a whole GOP came.
    mutating func cachedPacketsEnded(_ key: UInt64, complete: UInt64) {
        guard let feed = feedsByKey[key], feed.pointee.isAwaitingCachedPackets else { return }
        feed.pointee.isAwaitingCachedPackets = false
        for encoding in 0..<feed.pointee.cache.count where complete & 1 << UInt64(encoding) == 0 {
            feed.pointee.cache.forgetGOP(of: encoding)
        }
        for index in 0..<feed.pointee.count {
            let consumer = feed.pointee.consumers[index]
            if case .awaitingKeyFrame = consumer.pointee.stream.flow { start(consumer) }
        }
    }
}
