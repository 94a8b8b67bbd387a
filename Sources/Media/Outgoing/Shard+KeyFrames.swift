/// Key frames: consumers' wishes, which meet in one `KeyFrameRequester` on the producer's shard.
extension Shard {
    /// Asks for what a consumer has to have now: because it starts, or its client says so.
    mutating func askForKeyFrames(
        for consumer: Slot<ShardConsumer>, _ urgency: KeyFrameRequester.Urgency
    ) {
        if case .stopped = consumers[consumer].stream.flow { return }
        consumers[consumer].stream.updateTarget(feeds[consumers[consumer].feed].encodings, at: now)
        if let current = consumers[consumer].stream.currentEncoding {
            askForKeyFrame(.receiver, of: current, urgency, for: consumer)
        }
        // Where no encoding is known to be sent, the first packet that is held asks.
        if let wanted = consumers[consumer].stream.wantedKeyFrame {
            askForKeyFrame(.start, of: wanted, urgency, for: consumer)
        }
    }

    mutating func consumerAskedForKeyFrame(_ consumer: Slot<ShardConsumer>) {
        counters.add(.keyFrameRequestsReceived)
        guard consumers[consumer].wantsMedia else { return }
        let wasHopeless = consumers[consumer].stream.wish.isHopeless
        askForKeyFrame(
            .receiver, of: consumers[consumer].stream.mainEncoding, consumers[consumer].stream.urgency, for: consumer)
        hopeChanged(of: consumer, wasHopeless: wasHopeless)
    }

    /// A consumer's client reported loss: key frames it asks for may help it.
    mutating func consumerLost(_ consumer: Slot<ShardConsumer>) {
        let wasHopeless = consumers[consumer].stream.wish.isHopeless
        consumers[consumer].stream.wish.lossReported()
        hopeChanged(of: consumer, wasHopeless: wasHopeless)
    }

    /// Says once of a transport that a receiver cannot decode what it gets, and when that is over.
    mutating func hopeChanged(of consumer: Slot<ShardConsumer>, wasHopeless: Bool) {
        let isHopeless = consumers[consumer].stream.wish.isHopeless
        let transport = consumers[consumer].transport
        guard isHopeless != wasHopeless,
            !transports[transport].consumers.contains(where: { $0 != consumer && consumers[$0].stream.wish.isHopeless })
        else { return }
        let key = transports[transport].key
        transports[transport].events.append(
            isHopeless
                ? .warningRaised(
                    key,
                    TransportWarning(.unhelpfulKeyFrames, ssrc: SSRC(consumers[consumer].stream.ssrc)))
                : .warningCleared(key, .unhelpfulKeyFrames))
    }

    /// A consumer that waits, or would switch, needs its target's key frame.
    mutating func askForWantedKeyFrame(_ consumer: Slot<ShardConsumer>) {
        guard let encoding = consumers[consumer].stream.wantedKeyFrame else { return }
        askForKeyFrame(.start, of: encoding, consumers[consumer].stream.urgencyOfLayers(at: now), for: consumer)
    }

    /// Asks for what one consumer has to have, now or as soon as it may, and until it has it.
    mutating func askForKeyFrame(
        _ cause: KeyFrameWish.Cause, of encoding: Int, _ urgency: KeyFrameRequester.Urgency,
        for consumer: Slot<ShardConsumer>
    ) {
        // Sound has no key frames.
        guard consumers[consumer].stream.kind == .video else { return }
        if case .stopped = consumers[consumer].stream.flow { return }
        consumers[consumer].stream.settleWishes(feeds[consumers[consumer].feed])
        let isNew = consumers[consumer].stream.wish.open(cause, encoding: encoding, at: now)
        list(consumer)
        guard consumers[consumer].stream.wish.isDue(cause, encoding: encoding, at: now) else { return }
        askForKeyFrame(of: consumers[consumer].feed, encoding: encoding, for: urgency, isRenewal: !isNew)
    }

    /// Sees to it that a consumer's wish is renewed until it is granted.
    mutating func list(_ consumer: Slot<ShardConsumer>) {
        guard !consumers[consumer].stream.wish.isListed else { return }
        consumers[consumer].stream.wish.isListed = true
        wishing.append(consumer)
        if nextWish == nil { nextWish = now + KeyFrameWish.renewal }
    }

    /// Forgets the wishes of a consumer that closes.
    mutating func unlist(_ consumer: Slot<ShardConsumer>) {
        guard consumers[consumer].stream.wish.isListed else { return }
        wishing.removeAll { $0 == consumer }
        if wishing.isEmpty { nextWish = nil }
    }

    /// Asks again for what has not come, whatever arrives: the sender may be silent.
    mutating func renewWishes() {
        for consumer in wishing {
            consumers[consumer].stream.settleWishes(feeds[consumers[consumer].feed])
            if let encoding = consumers[consumer].stream.wish.encoding(of: .receiver) {
                askForKeyFrame(.receiver, of: encoding, consumers[consumer].stream.urgency, for: consumer)
            }
            askForWantedKeyFrame(consumer)
            let wasHopeless = consumers[consumer].stream.wish.isHopeless
            consumers[consumer].stream.wish.forget(at: now)
            hopeChanged(of: consumer, wasHopeless: wasHopeless)
            let wish = consumers[consumer].stream.wish
            consumers[consumer].stream.wish.isListed =
                wish.encoding(of: .receiver) != nil || wish.encoding(of: .start) != nil || wish.isHopeless
        }
        wishing.removeAll { !consumers[$0].stream.wish.isListed }
        nextWish = wishing.isEmpty ? nil : now + KeyFrameWish.renewal
    }

    /// Asks the producer's shard, which may be this one; every consumer's wishes meet in one `KeyFrameRequester` there.
    private mutating func askForKeyFrame(
        of feed: Slot<ProducerFeed>, encoding: Int, for urgency: KeyFrameRequester.Urgency,
        isRenewal: Bool
    ) {
        guard encoding < feeds[feed].encodings.count else { return }
        if isRenewal, let last = feeds[feed].lastKeyFrameRequest[encoding], now - last < KeyFrameWish.renewal {
            return
        }
        feeds[feed].lastKeyFrameRequest[encoding] = now
        let shard = feeds[feed].key.shard
        if shard == index {
            return keyFrameRequested(
                producer: feeds[feed].key.rawValue, encoding: encoding, for: urgency, isRenewal: isRenewal)
        }
        send(
            .keyFrameRequest(producer: feeds[feed].key.rawValue, encoding: encoding, urgency, isRenewal: isRenewal),
            to: shard)
    }

    /// Some shard's consumer needs a key frame of a producer that lives here.
    mutating func keyFrameRequested(
        producer key: UInt64, encoding: Int, for urgency: KeyFrameRequester.Urgency, isRenewal: Bool
    ) {
        guard let producer = producersByKey[key], producers[producer].settings.kind == .video,
            !producers[producer].isPaused, encoding < producers[producer].streams.count,
            let stream = producers[producer].streams[encoding]
        else { return }
        let mustSend =
            isRenewal
            ? streams[stream].keyFrames.renewed(for: urgency, at: now)
            : streams[stream].keyFrames.requested(for: urgency, at: now)
        if mustSend { sendKeyFrameRequest(stream) }
        rescheduleTimer(of: producers[producer].transport)
    }

    /// What is sent needs a key frame now, whoever waits.
    mutating func forceKeyFrame(of stream: Slot<IncomingStream>) {
        let producer = streams[stream].producer
        guard !producers[producer].isPaused else { return }
        if streams[stream].forceKeyFrame(at: now) { sendKeyFrameRequest(stream) }
        rescheduleTimer(of: producers[producer].transport)
    }

    /// PLI where negotiated, else FIR.
    mutating func sendKeyFrameRequest(_ stream: Slot<IncomingStream>) {
        let transport = producers[streams[stream].producer].transport
        let ssrc = streams[stream].received.ssrc
        let sender = SSRC(transports[transport].feedbackSSRC)
        switch streams[stream].makeKeyFrameRequest() {
        case .pictureLossIndication:
            traceFeedback(.pli, isIncoming: false, of: stream)
            sendRTCP(on: transport) { (writer) throws(WireError) in
                try PictureLossIndication(senderSSRC: sender, mediaSSRC: ssrc).write(into: &writer)
            }
        case .fullIntraRequest(let number):
            traceFeedback(.fir, isIncoming: false, of: stream)
            let item = FullIntraRequestItem(ssrc: ssrc, sequenceNumber: number)
            sendRTCP(on: transport) { (writer) throws(WireError) in
                try FullIntraRequest.write(senderSSRC: sender, items: [item], into: &writer)
            }
        case nil: return
        }
        counters.add(.keyFrameRequestsSent)
    }
}
