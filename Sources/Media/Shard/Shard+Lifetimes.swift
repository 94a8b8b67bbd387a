// Safe: the only file that allocates and frees transports, producers, streams, feeds and consumers. Each `close…` takes
// the object out of every table and list that can reach it before its memory goes.
extension Shard {
    mutating func openTransport(_ key: TransportKey, _ settings: TransportSettings, _ events: EventQueue) {
        let fragment = settings.iceCredentials.usernameFragment
        guard transportsByKey[key.rawValue] == nil, transportsByUsernameFragment[fragment] == nil else {
            return events.append(
                .commandFailed(key, MediaError(.invalidSetting, "the ICE user name fragment is in use")))
        }
        let dtls: DTLSConnection
        do throws(MediaError) {
            dtls = try DTLSConnection(certificate: certificate)
        } catch {
            return events.append(.commandFailed(key, error))
        }
        let webRTC = UnsafeMutablePointer<WebRTCAssociation>.allocate(capacity: 1)
        webRTC.initialize(to: WebRTCAssociation(settings, dtls))
        transportsByUsernameFragment[fragment] = makeTransport(key, .webRTC(webRTC), .awaitingKeys(), events)
    }

    private mutating func makeTransport(
        _ key: TransportKey, _ association: Association, _ protection: consuming PacketProtection,
        _ events: EventQueue
    ) -> UnsafeMutablePointer<MediaTransport> {
        let slot = freeTransportSlots.popLast() ?? transports.count
        if slot == transports.count { transports.append(nil) }
        let transport = UnsafeMutablePointer<MediaTransport>.allocate(capacity: 1)
        transport.initialize(
            to: MediaTransport(
                key: key, slot: slot, association: association, protection: protection, events: events,
                feedbackSSRC: UInt32(truncatingIfNeeded: random.next()), now: now))
        transports[slot] = transport
        transportsByKey[key.rawValue] = transport
        counters.add(.transportsOpened)
        return transport
    }

    mutating func openPlainTransport(
        _ key: TransportKey, _ settings: PlainTransportSettings, _ sockets: PlainSockets, _ events: EventQueue
    ) {
        guard transportsByKey[key.rawValue] == nil else { return ignored() }
        var protection = settings.protection == nil ? PacketProtection.clear() : .awaitingKeys()
        do throws(MediaError) {
            if let agreed = settings.protection { try protection.setLocalKey(agreed.local, agreed.profile) }
        } catch {
            return events.append(.commandFailed(key, error))
        }
        let plain = UnsafeMutablePointer<PlainAssociation>.allocate(capacity: 1)
        plain.initialize(to: PlainAssociation(settings, sockets))
        let transport = makeTransport(key, .plain(plain), protection, events)
        guard attach(sockets, to: transport, plain) else {
            closeTransport(transport)
            return events.append(
                .commandFailed(key, MediaError(.system, "the system watches no more sockets for this process")))
        }
    }

    mutating func closeTransport(_ transport: UnsafeMutablePointer<MediaTransport>) {
        while let consumer = transport.pointee.consumers.last { closeConsumer(consumer) }
        while let producer = transport.pointee.producers.last { closeProducer(producer) }
        switch transport.pointee.association {
        case .plain(let plain): detachSockets(of: plain)
        case .webRTC(let webRTC):
            webRTC.pointee.dtls.close()
            dtlsAdvanced(transport, webRTC)
            webRTC.pointee.ice.close()
            iceAdvanced(transport, webRTC)
            for fragment in webRTC.pointee.usernameFragments { transportsByUsernameFragment[fragment] = nil }
        }
        transport.pointee.association.deallocate()
        transportsByKey[transport.pointee.key.rawValue] = nil
        transports[transport.pointee.slot] = nil
        timers.cancel(transport.pointee.slot)
        freeTransportSlots.append(transport.pointee.slot)
        transport.deinitialize(count: 1)
        transport.deallocate()
        counters.add(.transportsClosed)
    }

    // MARK: Producers

    mutating func openProducer(_ key: ProducerKey, on transportKey: TransportKey, _ settings: ProducerSettings) {
        guard let transport = transportsByKey[transportKey.rawValue] else { return ignored() }
        if let error = conflict(of: settings, on: transport) {
            return transport.pointee.events.append(.commandFailed(transportKey, error))
        }
        for encoding in settings.encodings {
            for case .some(let ssrc) in [encoding.ssrc, encoding.rtxSSRC] { releaseLearned(ssrc, on: transport) }
        }
        let producer = UnsafeMutablePointer<ShardProducer>.allocate(capacity: 1)
        producer.initialize(to: ShardProducer(key: key, transport: transport, settings: settings))
        producersByKey[key.rawValue] = producer
        transport.pointee.producers.append(producer)
        transport.pointee.extensionIDs.merge(settings.headerExtensions)
        if settings.headerExtensions[.transportWideSequence] != 0,
            settings.codecs.contains(where: { $0.feedback.contains(.transportWide) })
        {
            transport.pointee.sendsTransportFeedback = true
        }
        for (index, encoding) in settings.encodings.enumerated() {
            guard let ssrc = encoding.ssrc, let stream = openStream(ssrc, of: producer, encoding: index) else {
                continue
            }
            guard let rtxSSRC = encoding.rtxSSRC else { continue }
            stream.pointee.received.replaceRTX(by: rtxSSRC)
            transport.pointee.streams.insert(rtxSSRC.rawValue, .init(stream: stream, isRTX: true))
        }
        // Its newest group of pictures is kept for whoever comes, here or on another shard.
        if settings.kind == .video {
            _ = feed(
                of: key, kind: settings.kind, encodings: settings.encodings.count,
                clockRate: settings.codecs.first?.clockRate ?? 90_000, usesDTX: settings.scalability.usesDTX)
        }
        receptionExpected(on: transport)
    }

    /// Why a producer cannot live on this transport: the same rules as mediasoup's RTP listener.
    private func conflict(
        of settings: ProducerSettings, on transport: UnsafeMutablePointer<MediaTransport>
    ) -> MediaError? {
        guard !settings.codecs.isEmpty, !settings.encodings.isEmpty else {
            return MediaError(.invalidSetting, "a producer needs at least one codec and one encoding")
        }
        guard settings.encodings.count <= SourceEncodings.capacity else {
            return MediaError(.invalidSetting, "a producer has at most \(SourceEncodings.capacity) encodings")
        }
        for encoding in settings.encodings {
            for ssrc in [encoding.ssrc, encoding.rtxSSRC].compactMap({ $0 })
            where transport.pointee.streams.find(ssrc.rawValue)?.isAnnounced(ssrc) ?? false {
                return MediaError(.streamConflict, "SSRC \(ssrc) is used by another producer of the transport")
            }
        }
        for other in transport.pointee.producers {
            if let mid = settings.mid, other.pointee.settings.mid == mid {
                return MediaError(.streamConflict, "MID \(mid) is used by another producer of the transport")
            }
        }
        return nil
    }

    mutating func openStream(
        _ ssrc: SSRC, of producer: UnsafeMutablePointer<ShardProducer>, encoding: Int
    ) -> UnsafeMutablePointer<IncomingStream>? {
        guard let codec = producer.pointee.primaryCodec else { return nil }
        let stream = UnsafeMutablePointer<IncomingStream>.allocate(capacity: 1)
        stream.initialize(
            to: IncomingStream(
                producer: producer, producer.pointee.settings, encoding: encoding, ssrc: ssrc, codec: codec))
        producer.pointee.streams[encoding] = stream
        let transport = producer.pointee.transport
        transport.pointee.streams.insert(ssrc.rawValue, .init(stream: stream, isRTX: false))
        return stream
    }

    mutating func closeStream(_ stream: UnsafeMutablePointer<IncomingStream>) {
        let producer = stream.pointee.producer
        let transport = producer.pointee.transport
        let ssrcs = [stream.pointee.received.ssrc, stream.pointee.received.rtxSSRC].compactMap { $0 }
        encodingRestarted(stream)
        transport.pointee.streams.removeAll { _, reference in reference.stream == stream }
        for ssrc in ssrcs { transport.pointee.protection.forget(ssrc.rawValue) }
        producer.pointee.streams[stream.pointee.encoding] = nil
        if let highest = stream.pointee.received.highestExtended {
            producer.pointee.streamEnded(encoding: stream.pointee.encoding, highest: highest)
        }
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    mutating func closeProducer(_ producer: UnsafeMutablePointer<ShardProducer>) {
        let transport = producer.pointee.transport
        for case .some(let stream) in producer.pointee.streams { closeStream(stream) }
        producersByKey[producer.pointee.key.rawValue] = nil
        if let feed = feedsByKey[producer.pointee.key.rawValue], feed.pointee.count == 0 { closeFeed(feed) }
        transport.pointee.producers.removeAll { $0 == producer }
        producer.deinitialize(count: 1)
        producer.deallocate()
        receptionExpected(on: transport)
    }

    // MARK: Consumers

    mutating func openConsumer(
        _ key: ConsumerKey, on transportKey: TransportKey, of producer: ProducerKey, _ settings: ConsumerSettings
    ) {
        guard let transport = transportsByKey[transportKey.rawValue] else { return ignored() }
        let ssrcs = [settings.ssrc, settings.rtxSSRC].compactMap { $0 }
        guard !settings.codecs.isEmpty, ssrcs.allSatisfy({ transport.pointee.consumersBySSRC.find($0.rawValue) == nil })
        else {
            return fail(transportKey, .streamConflict, "a consumer needs a codec and an SSRC of its own")
        }
        let feed = feed(
            of: producer, kind: settings.kind, encodings: settings.encodings.count,
            clockRate: settings.codecs.first?.clockRate ?? 90_000, usesDTX: settings.scalability.usesDTX)
        let consumer = UnsafeMutablePointer<ShardConsumer>.allocate(capacity: 1)
        consumer.initialize(
            to: ShardConsumer(
                key: key, transport: transport, feed: feed, settings: settings,
                // Far from 2^16, so that a lost first packet cannot hide a roll-over (RFC 3711 §3.3.1).
                firstSequence: UInt16.random(in: 1000...32767, using: &random),
                firstRTXSequence: UInt16.random(in: 1000...32767, using: &random)))
        consumersByKey[key.rawValue] = consumer
        transport.pointee.consumers.append(consumer)
        for ssrc in ssrcs { transport.pointee.consumersBySSRC.insert(ssrc.rawValue, consumer) }
        feed.pointee.add(consumer)
        if consumer.pointee.stream.selection != nil { beginSelecting(consumer) }
        updateFlow(consumer)
        touch(transport)
    }

    mutating func closeConsumer(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        let transport = consumer.pointee.transport
        let feed = consumer.pointee.feed
        consumersByKey[consumer.pointee.key.rawValue] = nil
        transport.pointee.consumers.removeAll { $0 == consumer }
        transport.pointee.consumersBySSRC.removeAll { _, other in other == consumer }
        endSelecting(consumer)
        catchingUp.removeAll { $0 == consumer }
        unlist(consumer)
        detach(consumer, from: feed)
        consumer.deinitialize(count: 1)
        consumer.deallocate()
    }

    /// Ends a consumer's part in a feed, and the feed with its last consumer, unless its producer is here too.
    mutating func detach(
        _ consumer: UnsafeMutablePointer<ShardConsumer>, from feed: UnsafeMutablePointer<ProducerFeed>
    ) {
        feed.pointee.remove(consumer)
        if feed.pointee.count == 0, producersByKey[feed.pointee.key.rawValue] == nil { closeFeed(feed) }
    }

    /// The consumers' side of a producer, made with a producer of video or for the first consumer.
    mutating func feed(
        of producer: ProducerKey, kind: MediaKind, encodings: Int, clockRate: UInt32, usesDTX: Bool
    ) -> UnsafeMutablePointer<ProducerFeed> {
        if let feed = feedsByKey[producer.rawValue] { return feed }
        let feed = UnsafeMutablePointer<ProducerFeed>.allocate(capacity: 1)
        feed.initialize(
            to: ProducerFeed(
                key: producer, kind: kind, encodings: encodings, clockRate: clockRate, usesDTX: usesDTX))
        feedsByKey[producer.rawValue] = feed
        if let local = producersByKey[producer.rawValue] {
            for case .some(let stream) in local.pointee.streams { encodingAdvanced(stream) }
        }
        if producer.shard != index, !links.send(.subscribeShard(index, to: producer), to: producer.shard) {
            counters.add(.ringFull)
        }
        feed.pointee.isAwaitingCachedPackets = producer.shard != index && kind == .video
        return feed
    }

    private mutating func closeFeed(_ feed: UnsafeMutablePointer<ProducerFeed>) {
        let producer = feed.pointee.key
        feedsByKey[producer.rawValue] = nil
        if producer.shard != index { _ = links.send(.unsubscribeShard(index, from: producer), to: producer.shard) }
        feed.deinitialize(count: 1)
        feed.deallocate()
    }

    /// Frees everything, at the end of the shard's life.
    mutating func closeAll() {
        for case .some(let transport) in transports { closeTransport(transport) }
        flush()
    }
}
