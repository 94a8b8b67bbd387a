/// Opens and closes transports, producers, streams, feeds and consumers. Each `close…` takes the object out of every table
/// and list before its slot is given back.
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
        let webRTC = webRTCAssociations.insert(WebRTCAssociation(settings, dtls))
        let transport = makeTransport(key, .webRTC(webRTC), .awaitingKeys(), events)
        transports[transport].history.limits = settings.limits
        transports[transport].history.maximumIncoming = settings.maximumIncoming
        transportsByUsernameFragment[fragment] = transport
    }

    private mutating func makeTransport(
        _ key: TransportKey, _ association: Association, _ protection: consuming PacketProtection,
        _ events: EventQueue
    ) -> Slot<MediaTransport> {
        let transport = transports.insert(
            MediaTransport(
                key: key, association: association, protection: protection, events: events,
                feedbackSSRC: UInt32(truncatingIfNeeded: random.next()), now: now))
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
        let plain = plainAssociations.insert(PlainAssociation(settings, sockets))
        let transport = makeTransport(key, .plain(plain), protection, events)
        guard attach(sockets, to: transport, plain) else {
            closeTransport(transport)
            return events.append(
                .commandFailed(key, MediaError(.system, "the system watches no more sockets for this process")))
        }
    }

    mutating func closeTransport(_ transport: Slot<MediaTransport>) {
        while let consumer = transports[transport].consumers.last { closeConsumer(consumer) }
        while let producer = transports[transport].producers.last { closeProducer(producer) }
        closeAssociation(of: transport)
        closeBandwidth(of: transport)
        closeIncoming(of: transport)
        transportsByKey[transports[transport].key.rawValue] = nil
        timers.cancel(Int(transport.index))
        transports.remove(transport)
        counters.add(.transportsClosed)
    }

    // MARK: Producers

    mutating func openProducer(_ key: ProducerKey, on transportKey: TransportKey, _ settings: ProducerSettings) {
        guard let transport = transportsByKey[transportKey.rawValue] else { return ignored() }
        if let error = conflict(of: settings, on: transport) {
            return transports[transport].events.append(.commandFailed(transportKey, error))
        }
        for encoding in settings.encodings {
            for case .some(let ssrc) in [encoding.ssrc, encoding.rtxSSRC] { releaseLearned(ssrc, on: transport) }
        }
        let producer = producers.insert(ShardProducer(key: key, transport: transport, settings: settings))
        producersByKey[key.rawValue] = producer
        transports[transport].producers.append(producer)
        transports[transport].extensionIDs.merge(settings.headerExtensions)
        if settings.headerExtensions[.transportWideSequence] != 0,
            settings.codecs.contains(where: { $0.feedback.contains(.transportWide) })
        {
            transports[transport].sendsTransportFeedback = true
        }
        incomingExpected(of: settings, on: transport)
        for (index, encoding) in settings.encodings.enumerated() {
            guard let ssrc = encoding.ssrc, let stream = openStream(ssrc, of: producer, encoding: index) else {
                continue
            }
            guard let rtxSSRC = encoding.rtxSSRC else { continue }
            streams[stream].received.replaceRTX(by: rtxSSRC)
            transports[transport].streams.insert(rtxSSRC.rawValue, .init(stream: stream, isRTX: true))
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
        of settings: ProducerSettings, on transport: Slot<MediaTransport>
    ) -> MediaError? {
        guard !settings.codecs.isEmpty, !settings.encodings.isEmpty else {
            return MediaError(.invalidSetting, "a producer needs at least one codec and one encoding")
        }
        guard settings.encodings.count <= SourceEncodings.capacity else {
            return MediaError(.invalidSetting, "a producer has at most \(SourceEncodings.capacity) encodings")
        }
        for encoding in settings.encodings {
            for ssrc in [encoding.ssrc, encoding.rtxSSRC].compactMap({ $0 })
            where transports[transport].streams.find(ssrc.rawValue).map({ isAnnounced(ssrc, $0) }) ?? false {
                return MediaError(.streamConflict, "SSRC \(ssrc) is used by another producer of the transport")
            }
        }
        for other in transports[transport].producers {
            if let mid = settings.mid, producers[other].settings.mid == mid {
                return MediaError(.streamConflict, "MID \(mid) is used by another producer of the transport")
            }
        }
        return nil
    }

    mutating func openStream(
        _ ssrc: SSRC, of producer: Slot<ShardProducer>, encoding: Int
    ) -> Slot<IncomingStream>? {
        guard let codec = producers[producer].primaryCodec else { return nil }
        let stream = streams.insert(
            IncomingStream(
                producer: producer, producers[producer].settings, encoding: encoding, ssrc: ssrc, codec: codec))
        producers[producer].streams[encoding] = stream
        let transport = producers[producer].transport
        transports[transport].streams.insert(ssrc.rawValue, .init(stream: stream, isRTX: false))
        return stream
    }

    mutating func closeStream(_ stream: Slot<IncomingStream>) {
        let producer = streams[stream].producer
        let transport = producers[producer].transport
        let ssrcs = [streams[stream].received.ssrc, streams[stream].received.rtxSSRC].compactMap { $0 }
        encodingRestarted(stream)
        transports[transport].streams.removeAll { _, reference in reference.stream == stream }
        for ssrc in ssrcs { transports[transport].protection.retire(ssrc.rawValue) }
        producers[producer].streams[streams[stream].encoding] = nil
        if let highest = streams[stream].received.highestExtended {
            producers[producer].streamEnded(encoding: streams[stream].encoding, highest: highest)
        }
        streams.remove(stream)
    }

    mutating func closeProducer(_ producer: Slot<ShardProducer>) {
        let transport = producers[producer].transport
        for case .some(let stream) in producers[producer].streams { closeStream(stream) }
        producersByKey[producers[producer].key.rawValue] = nil
        if let feed = feedsByKey[producers[producer].key.rawValue], feeds[feed].consumers.isEmpty { closeFeed(feed) }
        transports[transport].producers.removeAll { $0 == producer }
        producers.remove(producer)
        receptionExpected(on: transport)
    }

    // MARK: Consumers

    mutating func openConsumer(
        _ key: ConsumerKey, on transportKey: TransportKey, of producer: ProducerKey, _ settings: ConsumerSettings
    ) {
        guard let transport = transportsByKey[transportKey.rawValue] else { return ignored() }
        let ssrcs = [settings.ssrc, settings.rtxSSRC].compactMap { $0 }
        guard !settings.codecs.isEmpty,
            ssrcs.allSatisfy({ transports[transport].consumersBySSRC.find($0.rawValue) == nil })
        else {
            return fail(transportKey, .streamConflict, "a consumer needs a codec and an SSRC of its own")
        }
        let feed = feed(
            of: producer, kind: settings.kind, encodings: settings.encodings.count,
            clockRate: settings.codecs.first?.clockRate ?? 90_000, usesDTX: settings.scalability.usesDTX)
        let consumer = consumers.insert(
            ShardConsumer(
                key: key, transport: transport, feed: feed, settings: settings,
                // Far from 2^16, so that a lost first packet cannot hide a roll-over (RFC 3711 §3.3.1).
                firstSequence: UInt16.random(in: 1000...32767, using: &random),
                firstRTXSequence: UInt16.random(in: 1000...32767, using: &random)))
        consumersByKey[key.rawValue] = consumer
        transports[transport].consumers.append(consumer)
        for ssrc in ssrcs { transports[transport].consumersBySSRC.insert(ssrc.rawValue, consumer) }
        feeds[feed].add(consumer, canRetransmit: consumers[consumer].stream.canRetransmit)
        if consumers[consumer].stream.selectsLayers { beginSelecting(consumer) }
        bandwidthShared(by: consumer, settings)
        updateFlow(consumer)
        rescheduleTimer(of: transport)
    }

    mutating func closeConsumer(_ consumer: Slot<ShardConsumer>) {
        let transport = consumers[consumer].transport
        let feed = consumers[consumer].feed
        consumerLost(consumer)
        consumersByKey[consumers[consumer].key.rawValue] = nil
        transports[transport].consumers.removeAll { $0 == consumer }
        transports[transport].consumersBySSRC.removeAll { _, other in other == consumer }
        endSelecting(consumer)
        bandwidthLeft(by: consumer)
        catchingUp.removeAll { $0 == consumer }
        unlist(consumer)
        detach(consumer, from: feed)
        consumers.remove(consumer)
    }

    /// Ends a consumer's part in a feed, and the feed with its last consumer, unless its producer is here too.
    mutating func detach(
        _ consumer: Slot<ShardConsumer>, from feed: Slot<ProducerFeed>
    ) {
        feeds[feed].remove(consumer, canRetransmit: consumers[consumer].stream.canRetransmit)
        if feeds[feed].consumers.isEmpty, producersByKey[feeds[feed].key.rawValue] == nil { closeFeed(feed) }
    }

    /// The consumers' side of a producer, made with a producer of video or for the first consumer.
    mutating func feed(
        of producer: ProducerKey, kind: MediaKind, encodings: Int, clockRate: UInt32, usesDTX: Bool
    ) -> Slot<ProducerFeed> {
        if let feed = feedsByKey[producer.rawValue] { return feed }
        let feed = feeds.insert(
            ProducerFeed(
                key: producer, kind: kind, encodings: encodings, clockRate: clockRate, usesDTX: usesDTX))
        feedsByKey[producer.rawValue] = feed
        if let local = producersByKey[producer.rawValue] {
            for case .some(let stream) in producers[local].streams { encodingAdvanced(stream) }
        }
        if producer.shard != index, !links.send(.subscribeShard(index, to: producer), to: producer.shard) {
            counters.add(.ringFull)
        }
        feeds[feed].isAwaitingCachedPackets = producer.shard != index && kind == .video
        return feed
    }

    private mutating func closeFeed(_ feed: Slot<ProducerFeed>) {
        let producer = feeds[feed].key
        feedsByKey[producer.rawValue] = nil
        if producer.shard != index { _ = links.send(.unsubscribeShard(index, from: producer), to: producer.shard) }
        feeds.remove(feed)
        if feeds.count == 0 { nextSweep = nil }
    }

    /// Frees everything, at the end of the shard's life.
    mutating func closeAll() {
        for transport in transports.slots { closeTransport(transport) }
        closeAllConnections()
        flush()
    }
}
