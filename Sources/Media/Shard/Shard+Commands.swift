extension Shard {
    /// Carries out commands that wait, at most `limit` of them so that packets are not kept waiting.
    mutating func drainCommands(limit: Int = 256) {
        for _ in 0..<limit {
            guard let command = links.queues[index].pop() else { return }
            counters.add(.commands)
            execute(command)
        }
    }

    /// Carries out one command. What names something that is gone is a legitimate race, and counted.
    mutating func execute(_ command: MediaCommand) {
        switch command {
        case .listen(let socket): listen(on: socket)
        case .stopListening(let address): stopListening(on: address)
        case .takeConnection(let handed): takeConnection(handed)
        case .openTransport(let key, let settings, let events): openTransport(key, settings, events)
        case .connectTransport(let key, let role, let fingerprint): connectTransport(key, role, fingerprint)
        case .restartICE(let key, let credentials): restartICE(key, credentials)
        case .openPlainTransport(let key, let settings, let sockets, let events):
            openPlainTransport(key, settings, sockets, events)
        case .connectPlainTransport(let key, let remote): connectPlainTransport(key, remote)
        case .closeTransport(let key):
            guard let transport = transportsByKey[key.rawValue] else { return ignored() }
            closeTransport(transport)
        case .openProducer(let key, let transport, let settings): openProducer(key, on: transport, settings)
        case .setProducerPaused(let key, let isPaused): setProducerPaused(key, isPaused)
        case .closeProducer(let key):
            guard let producer = producersByKey[key.rawValue] else { return ignored() }
            closeProducer(producer)
        case .openConsumer(let key, let transport, let producer, let settings):
            openConsumer(key, on: transport, of: producer, settings)
        case .setConsumerPaused(let key, let isPaused):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            consumers[consumer].isPaused = isPaused
            updateFlow(consumer)
        case .setConsumerProducerPaused(let key, let isPaused):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            consumers[consumer].isProducerPaused = isPaused
            if isPaused { feeds[consumers[consumer].feed].cache.forgetGOPs() }
            updateFlow(consumer)
        case .requestKeyFrame(let key):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            askForKeyFrames(for: consumer, .change)
        case .setConsumerPreferredLayers(let key, let layers):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            setPreferredLayers(layers, of: consumer)
        case .setConsumerPriority(let key, let priority):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            setPriority(priority, of: consumer)
        case .switchProducer(let key, let producer, let settings):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            switchProducer(of: consumer, to: producer, settings)
        case .traceProducer(let key, let kinds):
            guard let producer = producersByKey[key.rawValue] else { return ignored() }
            producers[producer].traces = kinds
        case .traceConsumer(let key, let kinds):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            consumers[consumer].traces = kinds
        case .closeConsumer(let key):
            guard let consumer = consumersByKey[key.rawValue] else { return ignored() }
            closeConsumer(consumer)
        case .subscribeShard(let shard, let key): setSubscription(of: shard, to: key, true)
        case .unsubscribeShard(let shard, let key): setSubscription(of: shard, to: key, false)
        case .openDataProducer, .openDirectDataProducer, .setDataProducerPaused, .closeDataProducer, .openDataConsumer,
            .openDirectDataConsumer, .releaseDataConsumer, .setDataConsumerPaused, .setDataConsumerSubchannels,
            .setBufferedAmountLowThreshold,
            .closeDataConsumer, .closeDataChannel, .sendData, .sendDataToConsumer, .subscribeShardToData,
            .unsubscribeShardFromData:
            executeData(command)
        case .setBitrateLimits(let key, let limits, let incoming):
            guard let transport = transportsByKey[key.rawValue] else { return ignored() }
            setBitrateLimits(limits, of: transport)
            setMaximumIncoming(incoming, of: transport)
        case .recordBandwidth(let key, let isOn): recordBandwidth(of: key, isOn)
        case .collectStatistics(let token, let keys, let detail, let events):
            events.append(.statistics(token: token, keys.compactMap { statistics(of: $0, detail) }))
        }
    }

    private mutating func executeData(_ command: MediaCommand) {
        switch command {
        case .openDataProducer(let key, let transport, let settings): openDataProducer(key, on: transport, settings)
        case .openDirectDataProducer(let key): openDirectDataProducer(key)
        case .setDataProducerPaused(let key, let isPaused):
            guard let producer = data.producersByKey[key.rawValue] else { return ignored() }
            data.producers[producer].isPaused = isPaused
        case .closeDataProducer(let key):
            guard let producer = data.producersByKey[key.rawValue] else { return ignored() }
            closeDataProducer(producer)
        case .openDataConsumer(let key, let transport, let producer, let settings):
            openDataConsumer(key, on: transport, of: producer, settings)
        case .openDirectDataConsumer(let key, let producer, let largest, let events):
            openDirectDataConsumer(key, of: producer, largestMessage: largest, events)
        case .releaseDataConsumer(let key): releaseDataConsumer(key)
        case .setDataConsumerPaused(let key, let isPaused):
            guard let consumer = data.consumersByKey[key.rawValue] else { return ignored() }
            data.consumers[consumer].isPaused = isPaused
        case .setDataConsumerSubchannels(let key, let subchannels):
            guard let consumer = data.consumersByKey[key.rawValue] else { return ignored() }
            data.consumers[consumer].subchannels = subchannels
        case .setBufferedAmountLowThreshold(let key, let bytes): setBufferedAmountLowThreshold(bytes, of: key)
        case .closeDataConsumer(let key):
            // What other shards sent before its producer was closed comes before its end.
            drainInbox()
            guard let consumer = data.consumersByKey[key.rawValue] else { return ignored() }
            closeDataConsumer(consumer)
        case .closeDataChannel(let transport, let stream): closeDataChannel(stream, of: transport)
        case .sendData(let key, let message): send(message, of: key)
        case .sendDataToConsumer(let key, let message): send(message, to: key)
        case .subscribeShardToData(let shard, let key): setDataSubscription(of: shard, to: key, true)
        case .unsubscribeShardFromData(let shard, let key): setDataSubscription(of: shard, to: key, false)
        default: assertionFailure("a command that has nothing to do with data")
        }
    }

    func ignored() { counters.add(.commandsIgnored) }

    private mutating func connectTransport(_ key: TransportKey, _ role: DTLSRole, _ fingerprint: DTLSFingerprint) {
        guard let transport = transportsByKey[key.rawValue],
            case .webRTC(let webRTC) = transports[transport].association
        else { return ignored() }
        if role == .client, webRTCAssociations[webRTC].dtlsRole == .auto { becomeDTLSClient(transport, webRTC) }
        webRTCAssociations[webRTC].dtlsRole = role
        webRTCAssociations[webRTC].dtls.setRemoteFingerprint(fingerprint)
        startHandshakeIfPossible(transport, webRTC)
        dtlsAdvanced(transport, webRTC)
    }

    private mutating func restartICE(_ key: TransportKey, _ credentials: ICECredentials) {
        guard let transport = transportsByKey[key.rawValue],
            case .webRTC(let webRTC) = transports[transport].association
        else { return ignored() }
        guard transportsByUsernameFragment[credentials.usernameFragment] == nil else {
            return fail(key, .invalidSetting, "the ICE user name fragment is in use")
        }
        webRTCAssociations[webRTC].ice.restart(credentials: credentials, at: now)
        webRTCAssociations[webRTC].usernameFragments.append(credentials.usernameFragment)
        transportsByUsernameFragment[credentials.usernameFragment] = transport
        iceAdvanced(transport, webRTC)
        rescheduleTimer(of: transport)
    }

    private mutating func setProducerPaused(_ key: ProducerKey, _ isPaused: Bool) {
        guard let producer = producersByKey[key.rawValue] else { return ignored() }
        guard producers[producer].isPaused != isPaused else { return }
        if isPaused, let feed = feedsByKey[key.rawValue] { feeds[feed].cache.forgetGOPs() }
        producers[producer].isPaused = isPaused
        for case .some(let stream) in producers[producer].streams {
            if isPaused {
                streams[stream].paused()
            } else if streams[stream].resumed(at: now) {
                sendKeyFrameRequest(stream)
            }
        }
        receptionExpected(on: producers[producer].transport)
    }

    private mutating func setSubscription(of shard: Int, to key: ProducerKey, _ isSubscribed: Bool) {
        guard let producer = producersByKey[key.rawValue] else { return ignored() }
        let bit: UInt64 = 1 << UInt64(shard)
        if isSubscribed {
            producers[producer].subscribedShards |= bit
            // Which encodings there are has to be known where consumers begin with what is kept.
            for case .some(let stream) in producers[producer].streams { encodingAdvanced(stream) }
            sendCachedGOPs(of: producer, to: shard)
        } else {
            producers[producer].subscribedShards &= ~bit
        }
    }

    func fail(_ key: TransportKey, _ code: MediaError.Code, _ message: String) {
        guard let transport = transportsByKey[key.rawValue] else { return ignored() }
        transports[transport].events.append(.commandFailed(key, MediaError(code, message)))
    }
}
