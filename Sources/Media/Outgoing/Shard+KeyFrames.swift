// Safe: pointers to producers, streams, feeds and consumers are the shard's own (`Shard+Lifetimes`).

/// Key frames: consumers' wishes, which meet in one `KeyFrameRequester` on the producer's shard.
extension Shard {
    /// Asks for what a consumer has to have now: because it starts, or its client says so.
    mutating func askForKeyFrames(
        for consumer: UnsafeMutablePointer<ShardConsumer>, _ need: KeyFrameRequester.Need
    ) {
        if case .stopped = consumer.pointee.stream.flow { return }
        consumer.pointee.stream.updateTarget(consumer.pointee.feed.pointee.encodings, at: now)
        if let current = consumer.pointee.stream.currentEncoding {
            askForKeyFrame(.receiver, of: current, need, for: consumer)
        }
        // Where no encoding is known to be sent, the first packet that is held asks.
        if let wanted = consumer.pointee.stream.wantedKeyFrame {
            askForKeyFrame(.start, of: wanted, need, for: consumer)
        }
    }

    mutating func consumerAskedForKeyFrame(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        counters.add(.keyFrameRequestsReceived)
        guard consumer.pointee.wantsMedia else { return }
        askForKeyFrame(
            .receiver, of: consumer.pointee.stream.mainEncoding, consumer.pointee.stream.need, for: consumer)
    }

    /// A consumer that waits, or would switch, needs its target's key frame.
    mutating func askForWantedKeyFrame(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard let encoding = consumer.pointee.stream.wantedKeyFrame else { return }
        askForKeyFrame(.start, of: encoding, consumer.pointee.stream.needOfLayers(at: now), for: consumer)
    }

    /// Asks for what one consumer has to have, now or as soon as it may, and until it has it.
    mutating func askForKeyFrame(
        _ cause: KeyFrameWish.Cause, of encoding: Int, _ need: KeyFrameRequester.Need,
        for consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if case .stopped = consumer.pointee.stream.flow { return }
        consumer.pointee.stream.settleWishes(consumer.pointee.feed.pointee)
        let isNew = consumer.pointee.stream.wish.open(cause, encoding: encoding, at: now)
        list(consumer)
        guard consumer.pointee.stream.wish.isDue(encoding: encoding, at: now) else { return }
        askForKeyFrame(of: consumer.pointee.feed, encoding: encoding, for: need, isRenewal: !isNew)
    }

    /// Sees to it that a consumer's wish is renewed until it is granted.
    mutating func list(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard !consumer.pointee.stream.wish.isListed else { return }
        consumer.pointee.stream.wish.isListed = true
        wishing.append(consumer)
        if nextWish == nil { nextWish = now + KeyFrameWish.renewal }
    }

    /// Forgets the wishes of a consumer that closes.
    mutating func unlist(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.stream.wish.isListed else { return }
        wishing.removeAll { $0 == consumer }
        if wishing.isEmpty { nextWish = nil }
    }

    /// Asks again for what has not come, whatever arrives: the sender may be silent.
    mutating func renewWishes() {
        for consumer in wishing {
            consumer.pointee.stream.settleWishes(consumer.pointee.feed.pointee)
            if let encoding = consumer.pointee.stream.wish.encoding(of: .receiver) {
                askForKeyFrame(.receiver, of: encoding, consumer.pointee.stream.need, for: consumer)
            }
            askForWantedKeyFrame(consumer)
            let wish = consumer.pointee.stream.wish
            consumer.pointee.stream.wish.isListed =
                wish.encoding(of: .receiver) != nil || wish.encoding(of: .start) != nil
        }
        wishing.removeAll { !$0.pointee.stream.wish.isListed }
        nextWish = wishing.isEmpty ? nil : now + KeyFrameWish.renewal
    }

    /// Asks the producer's shard, which may be this one; every consumer's wishes meet in one `KeyFrameRequester` there.
    private mutating func askForKeyFrame(
        of feed: UnsafeMutablePointer<ProducerFeed>, encoding: Int, for need: KeyFrameRequester.Need,
        isRenewal: Bool
    ) {
        guard encoding < feed.pointee.encodings.count else { return }
        if isRenewal, let last = feed.pointee.lastKeyFrameRequest[encoding], now - last < KeyFrameWish.renewal {
            return
        }
        feed.pointee.lastKeyFrameRequest[encoding] = now
        let shard = feed.pointee.key.shard
        if shard == index {
            return keyFrameRequested(
                producer: feed.pointee.key.rawValue, encoding: encoding, for: need, isRenewal: isRenewal)
        }
        send(
            .keyFrameRequest(producer: feed.pointee.key.rawValue, encoding: encoding, need, isRenewal: isRenewal),
            to: shard)
    }

    /// Some shard's consumer needs a key frame of a producer that lives here.
    mutating func keyFrameRequested(
        producer key: UInt64, encoding: Int, for need: KeyFrameRequester.Need, isRenewal: Bool
    ) {
        guard let producer = producersByKey[key], producer.pointee.settings.kind == .video,
            !producer.pointee.isPaused, encoding < producer.pointee.streams.count,
            let stream = producer.pointee.streams[encoding]
        else { return }
        let mustSend =
            isRenewal
            ? stream.pointee.keyFrames.renewed(for: need, at: now)
            : stream.pointee.keyFrames.requested(for: need, at: now)
        if mustSend { sendKeyFrameRequest(stream) }
        touch(producer.pointee.transport)
    }

    /// What is sent needs a key frame now, whoever waits.
    mutating func forceKeyFrame(of stream: UnsafeMutablePointer<IncomingStream>) {
        let producer = stream.pointee.producer
        guard !producer.pointee.isPaused else { return }
        if stream.pointee.forceKeyFrame(at: now) { sendKeyFrameRequest(stream) }
        touch(producer.pointee.transport)
    }

    /// PLI where negotiated, else FIR.
    mutating func sendKeyFrameRequest(_ stream: UnsafeMutablePointer<IncomingStream>) {
        let transport = stream.pointee.producer.pointee.transport
        let ssrc = stream.pointee.received.ssrc
        let sender = SSRC(transport.pointee.feedbackSSRC)
        switch stream.pointee.makeKeyFrameRequest() {
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
