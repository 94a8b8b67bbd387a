import CPrefetch

// Safe: template and payload stay as they are while a packet is forwarded; consumers are the shard's own
// (`Shard+Lifetimes`), and at most `count` of a source's are read.
extension Shard {
    /// Gives a packet to every consumer of its producer on this shard.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) {
        guard let source = sourcesByKey[packet.producer], Int(packet.encoding) < source.pointee.encodings else {
            return
        }
        if !packet.isPaddingOnly {
            source.pointee.activity.packetReceived(encoding: Int(packet.encoding), at: now)
            if packet.isKeyFrame { source.pointee.keyFrameReceived(packet.encoding, at: now) }
            if source.pointee.keeps(packet, at: now) {
                remember(packet, template: template, payload: payload, at: now, in: source)
            }
        }
        if packet.layers.flags.contains(.hasPictureID) { source.pointee.newestPicture = packet.layers }
        let count = source.pointee.count
        let consumers = source.pointee.consumers
        for index in 0..<count {
            // Each consumer's state is cold: thousands of packets went by since its last turn, or none for milliseconds.
            // What the next ones need is fetched while this one is sealed; each step reaches one pointer further.
            if index + 3 < count { cpf_prefetch(consumers[index + 3], UInt32(MemoryLayout<ShardConsumer>.size)) }
            if index + 2 < count { MediaTransport.prefetch(consumers[index + 2].pointee.transport) }
            if index + 1 < count { consumers[index + 1].pointee.transport.pointee.protection.prefetch() }
            deliver(packet, template: template, payload: payload, to: consumers[index])
        }
    }

    /// Gives a packet to one consumer. What follows is the way of a plain stream that flows; all else is `choose`.
    private mutating func deliver(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if case .stopped = consumer.pointee.flow { return }
        guard consumer.pointee.accepts(packet.payloadType) else { return counters.add(.unknownPayloadType) }
        guard case .flowing = consumer.pointee.flow, consumer.pointee.selection == nil,
            !consumer.pointee.isBeyondReach(packet.sequence)
        else { return choose(packet, template: template, payload: payload, for: consumer) }
        if consumer.pointee.leavesOut(packet) { return consumer.pointee.sequence.drop(packet.sequence) }
        guard let sequence = consumer.pointee.sequence.rewrite(packet.sequence) else { return }
        let timestamp = consumer.pointee.timestamps.rewrite(packet.timestamp, at: now)
        let hasMarker = template[1] & 0x80 != 0
        guard
            seal(
                template: template, payload: payload, hasMarker: hasMarker, payloadType: packet.payloadType,
                index: sequence, timestamp: timestamp, for: consumer)
        else { return }
        packetSent(packet, index: sequence, timestamp: timestamp, hasMarker: hasMarker, to: consumer)
    }

    /// Gives a packet to a consumer that waits for a key frame, or gets only some of its source's layers.
    mutating func choose(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        for consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if case .catchingUp = consumer.pointee.flow {
            return catchUp(packet, template: template, payload: payload, consumer)
        }
        if consumer.pointee.leavesOut(packet) {
            if consumer.pointee.isSending(encoding: Int(packet.encoding)),
                !consumer.pointee.isBeyondReach(packet.sequence)
            {
                consumer.pointee.sequence.drop(packet.sequence)
            }
            return
        }
        let offset = consumer.pointee.timestamps.currentOffset
        let hasMarker = template[1] & 0x80 != 0
        var decision = judge(packet, hasMarker: hasMarker, for: consumer)
        if decision.isOfCurrent, consumer.pointee.isBeyondReach(packet.sequence) {
            // The sender numbers anew. Following it would change the roll-over counter behind the receiver's back
            // (RFC 3711 §3.3.1): splice the new numbers to the old ones, as after a pause.
            consumer.pointee.restart()
            decision = judge(packet, hasMarker: hasMarker, for: consumer)
        }
        switch decision.action {
        case .discard: return sendLate(packet, template: template, payload: payload, to: consumer)
        case .hold:
            if case .awaitingKeyFrame = consumer.pointee.flow { counters.add(.awaitingKeyFrame) }
            return askForWantedKeyFrame(consumer)
        case .drop:
            guard packet.sequence >= consumer.pointee.sequence.nextInput else {
                return fill(packet, template, consumer)
            }
            consumer.pointee.selection?.pointee.pictures.drop(packet.layers)
            return consumer.pointee.sequence.drop(packet.sequence)
        case .begin: begin(packet, previousOffset: offset, for: consumer)
        case .forward: break
        }
        sendChosen(
            packet, template: template, payload: payload, hasMarker: hasMarker || decision.setsMarker, to: consumer)
        if decision.action == .begin { replayHeld(after: packet, to: consumer) }
    }

    private func judge(
        _ packet: PreparedPacket, hasMarker: Bool, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> LayerDecision {
        let canStart = packet.isKeyFrame || !packet.codec.hasKeyFrames
        guard let selection = consumer.pointee.selection else {
            return consumer.pointee.judgeWhole(packet.sequence, canStart: canStart)
        }
        switch selection.pointee.kind {
        case .whole: return consumer.pointee.judgeWhole(packet.sequence, canStart: canStart)
        case .encodings:
            let source = consumer.pointee.source
            return selection.pointee.encodings.packetReceived(
                encoding: Int(packet.encoding), packet.layers, isKeyFrame: canStart, sequence: packet.sequence,
                timestamp: packet.timestamp, hasMarker: hasMarker, source: source.pointee.activity,
                timestamps: &consumer.pointee.timestamps, at: now)
        case .svc:
            return selection.pointee.svc.packetReceived(
                packet.layers, isKeyFrame: canStart, sequence: packet.sequence, timestamp: packet.timestamp,
                hasMarker: hasMarker)
        }
    }

    /// A (new) source or encoding begins: numbers, timestamps and the names of pictures go on.
    private func begin(
        _ packet: PreparedPacket, previousOffset: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        // A number left out tells the receiver that the picture before the switch was cut, if it was.
        let isCut = packet.codec.hasKeyFrames && consumer.pointee.isInsideFrame
        let (oldSource, endInput) = (consumer.pointee.sequence.source ?? 0, consumer.pointee.sequence.nextInput)
        consumer.pointee.sequence.synchronise(at: packet.sequence, source: packet.encoding, gap: isCut ? 1 : 0)
        let first = consumer.pointee.sequence.nextOutput
        guard let selection = consumer.pointee.selection else {
            consumer.pointee.timestamps.switchSource(first: packet.timestamp, at: now)
            consumer.pointee.firstResendable = first
            consumer.pointee.flow = .flowing
            return consumer.pointee.settleWishes()
        }
        if consumer.pointee.isNew { selection.pointee.settled = now + LayerSelection.settlingTime }
        // An encoding's selector has moved the timestamps itself.
        if selection.pointee.kind != .encodings {
            consumer.pointee.timestamps.switchSource(first: packet.timestamp, at: now)
        }
        if case .flowing = consumer.pointee.flow {
            if consumer.pointee.stream.encodingSwitched() { consumerScoreChanged(consumer) }
            // From encoding to encoding: what was lost before the switch can still be had.
            consumer.pointee.firstResendable = selection.pointee.firstOutput
            selection.pointee.previous = LayerSelection.Previous(
                encoding: oldSource, endInput: endInput, timestampOffset: previousOffset,
                pictures: selection.pointee.pictures)
        } else {
            consumer.pointee.firstResendable = first
            selection.pointee.previous = nil
        }
        selection.pointee.firstOutput = first
        if packet.layers.flags.hasNames { selection.pointee.pictures.synchronise(packet.layers) }
        consumer.pointee.flow = .flowing
        consumer.pointee.settleWishes()
    }

    private mutating func sendChosen(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, hasMarker: Bool,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        var names: PictureIDRewriter.Rewritten?
        if let selection = consumer.pointee.selection, packet.codec == .vp8, packet.layers.flags.hasNames {
            names = selection.pointee.pictures.rewrite(packet.layers)
            if names == nil {
                // A picture that was left out; or the sender names its pictures anew, which a key frame may.
                guard packet.sequence >= consumer.pointee.sequence.nextInput else {
                    if selection.pointee.pictures.isOmitted(packet.layers) { fill(packet, template, consumer) }
                    return
                }
                guard packet.isKeyFrame else {
                    consumer.pointee.sequence.drop(packet.sequence)
                    return askForKeyFrame(.receiver, of: Int(packet.encoding), .change, for: consumer)
                }
                // Under their numbers the packets before would get other names now.
                consumer.pointee.firstResendable = consumer.pointee.sequence.nextOutput
                selection.pointee.pictures.synchronise(packet.layers)
                names = selection.pointee.pictures.rewrite(packet.layers)
            }
        }
        guard let sequence = consumer.pointee.sequence.rewrite(packet.sequence) else { return }
        let timestamp = consumer.pointee.timestamps.rewrite(packet.timestamp, at: now)
        guard
            seal(
                template: template, copying: payload, named: names, packet.layers, hasMarker: hasMarker,
                payloadType: packet.payloadType, index: sequence, timestamp: timestamp, for: consumer)
        else { return }
        let wasSet = hasMarker && template[1] & 0x80 == 0
        consumer.pointee.selection?.pointee.packetSent(output: sequence, wasSet ? .marker : .none)
        packetSent(packet, index: sequence, timestamp: timestamp, hasMarker: hasMarker, to: consumer)
    }

    /// Sends what came behind the switch away from its encoding, and lacks in what was sent before.
    private mutating func sendLate(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        guard let selection = consumer.pointee.selection, case .flowing = consumer.pointee.flow,
            let previous = selection.pointee.previous, previous.encoding == packet.encoding,
            packet.sequence < previous.endInput,
            let output = consumer.pointee.sequence.lateOutput(packet.sequence, ofPreviousSource: packet.encoding)
        else { return }
        let timestamp = packet.timestamp &+ previous.timestampOffset
        let hasMarker = template[1] & 0x80 != 0
        var names: PictureIDRewriter.Rewritten?
        if packet.codec == .vp8, packet.layers.flags.hasNames {
            var pictures = previous.pictures
            names = pictures.rewrite(packet.layers)
            guard names != nil else {
                if previous.pictures.isOmitted(packet.layers) {
                    fill(packet, template, at: output, timestamp: timestamp, consumer)
                }
                return
            }
        }
        guard
            seal(
                template: template, copying: payload, named: names, packet.layers, hasMarker: hasMarker,
                payloadType: packet.payloadType, index: output, timestamp: timestamp, for: consumer)
        else { return }
        selection.pointee.packetSent(output: output, .none)
        packetSent(packet, index: output, timestamp: timestamp, hasMarker: hasMarker, to: consumer)
    }

    /// Sends nothing, under the number that was left free for a packet that came late and is not wanted: a receiver takes
    /// the number for a loss, asks for it, and reports it.
    private mutating func fill(
        _ packet: PreparedPacket, _ template: UnsafeRawBufferPointer, _ consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        guard let sequence = consumer.pointee.sequence.rewrite(packet.sequence) else { return }
        let timestamp = consumer.pointee.timestamps.rewrite(packet.timestamp, at: now)
        fill(packet, template, at: sequence, timestamp: timestamp, consumer)
    }

    private mutating func fill(
        _ packet: PreparedPacket, _ template: UnsafeRawBufferPointer, at sequence: UInt64, timestamp: UInt32,
        _ consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        guard
            sealFiller(
                template: template, payloadType: packet.payloadType, index: sequence, timestamp: timestamp,
                for: consumer)
        else { return }
        consumer.pointee.selection?.pointee.packetSent(output: sequence, .filler)
        consumer.pointee.stream.packetSent(extended: sequence, timestamp: timestamp, payloadLength: 0, at: now)
    }

    /// Sends what came before its key frame's first packet and follows it.
    private mutating func replayHeld(after first: PreparedPacket, to consumer: UnsafeMutablePointer<ShardConsumer>) {
        let last = consumer.pointee.heldThrough
        let history = consumer.pointee.source.pointee.histories + Int(first.encoding)
        var sequence = first.sequence &+ 1
        while sequence <= last {
            if let stored = history.pointee.find(extended: sequence, at: now),
                let (packet, template, payload) = StoredPacket.read(stored.bytes)
            {
                choose(packet, template: template, payload: payload, for: consumer)
            }
            sequence &+= 1
        }
    }

    private func packetSent(
        _ packet: PreparedPacket, index: UInt64, timestamp: UInt32, hasMarker: Bool,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if index == consumer.pointee.sequence.highestOutput { consumer.pointee.isInsideFrame = !hasMarker }
        consumer.pointee.stream.packetSent(
            extended: index, timestamp: timestamp,
            payloadLength: Int(packet.payloadLength) - Int(packet.paddingLength), at: now)
        let size = Int(packet.headerLength) + Int(packet.payloadLength)
        let transport = consumer.pointee.transport
        transport.pointee.traffic.rtpSent &+= UInt64(size)
        counters.add(.packetsForwarded)
        if !consumer.pointee.traces.isEmpty {
            traceSent(
                packet, to: consumer, sequence: index, timestamp: timestamp, hasMarker: hasMarker, isRTX: false)
        }
    }
}
