import CLinuxNet

extension Shard {
    /// Gives a packet to every consumer of its producer on this shard.
    mutating func forward(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) {
        guard let source = sourcesByKey[packet.producer], Int(packet.encoding) < source.pointee.encodings else {
            return
        }
        if source.pointee.retransmittingConsumers > 0, !packet.isPaddingOnly {
            remember(packet, template: template, payload: payload, in: source)
        }
        let count = source.pointee.count
        let consumers = source.pointee.consumers
        for index in 0..<count {
            // Each consumer's state is cold: thousands of packets went by since its last turn, or none for milliseconds.
            // What the next ones need is fetched while this one is sealed; each step reaches one pointer further.
            if index + 3 < count { cln_prefetch(consumers[index + 3], UInt32(MemoryLayout<ShardConsumer>.size)) }
            if index + 2 < count { MediaTransport.prefetch(consumers[index + 2].pointee.transport) }
            if index + 1 < count { consumers[index + 1].pointee.transport.pointee.sealer?.prefetch() }
            deliver(packet, template: template, payload: payload, to: consumers[index])
        }
    }

    /// Takes what the other shards sent.
    mutating func drainRings() {
        for other in 0..<links.count where other != index {
            // Bounded, so that a busy neighbour cannot keep this shard from its own sockets.
            for _ in 0..<1024 {
                guard let record = links.peek(from: other) else { break }
                switch RingRecordKind(rawValue: record[0]) {
                case .packet:
                    let (packet, template, payload) = PacketRecord.read(record)
                    forward(packet, template: template, payload: payload)
                case .keyFrameRequest:
                    let key = record.load(fromByteOffset: 8, as: UInt64.self)
                    let encoding = Int(record.load(fromByteOffset: 16, as: UInt64.self))
                    keyFrameRequested(producer: key, encoding: encoding)
                case nil: assertionFailure("unknown ring record")
                }
                links.advance(from: other)
            }
        }
    }

    private mutating func deliver(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        to consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if case .stopped = consumer.pointee.flow { return }
        guard consumer.pointee.accepts(packet.payloadType) else { return counters.add(.unknownPayloadType) }
        let canStart = packet.isKeyFrame || !packet.codec.hasKeyFrames
        var decision = consumer.pointee.selector.packetReceived(
            encoding: Int(packet.encoding), isKeyFrame: canStart, at: now)
        if decision == .forward, consumer.pointee.isBeyondReach(packet.sequence) {
            // The sender numbers anew. Following it would change the roll-over counter behind the receiver's back
            // (RFC 3711 §3.3.1): splice the new numbers to the old ones, as after a pause.
            consumer.pointee.selector.reset()
            consumer.pointee.flow = .awaitingKeyFrame
            decision = consumer.pointee.selector.packetReceived(
                encoding: Int(packet.encoding), isKeyFrame: canStart, at: now)
        }
        switch decision {
        case .discard:
            if case .awaitingKeyFrame = consumer.pointee.flow { counters.add(.awaitingKeyFrame) }
            askForWantedKeyFrame(consumer)
            return
        case .switchAndForward:
            // A number left out tells the receiver that the frame before the switch was cut, if it was.
            let isCut = packet.codec.hasKeyFrames && consumer.pointee.isInsideFrame
            consumer.pointee.sequence.synchronise(
                at: packet.sequence, source: packet.encoding, gap: isCut ? 1 : 0)
            consumer.pointee.timestamps.switchSource(first: packet.timestamp, at: now)
            consumer.pointee.firstResendable = consumer.pointee.sequence.nextOutput
            consumer.pointee.flow = .flowing
        case .forward: break
        }
        if packet.isPaddingOnly { return consumer.pointee.sequence.drop(packet.sequence) }
        guard let sequence = consumer.pointee.sequence.rewrite(packet.sequence) else { return }
        let timestamp = consumer.pointee.timestamps.rewrite(packet.timestamp, at: now)
        guard
            seal(
                template: template, payload: payload, prefix: nil, payloadType: packet.payloadType,
                ssrc: consumer.pointee.ssrc, index: sequence, timestamp: timestamp, for: consumer)
        else { return }
        consumer.pointee.isInsideFrame = template[1] & 0x80 == 0
        consumer.pointee.stream.packetSent(
            extended: sequence, timestamp: timestamp, payloadLength: payload.count - Int(packet.paddingLength),
            at: now)
        counters.add(.packetsForwarded)
    }

    /// Writes, seals and queues one packet of a consumer.
    /// - Parameter prefix: two bytes before the payload: the original sequence number of a retransmission (RFC 4588 §4).
    // Safe: `payloadFits` bounds what is written to the arena's `largestDatagram` bytes, and the template's length is
    // `HeaderTemplate`'s.
    private mutating func seal(
        template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, prefix: UInt16?, payloadType: UInt8,
        ssrc: UInt32, index: UInt64, timestamp: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        let transport = consumer.pointee.transport
        guard template.count + payload.count <= Self.largestPacket, let source = template.baseAddress else {
            counters.add(.oversizedPacket)
            return false
        }
        makeRoom()
        let out = arena.next
        out.copyMemory(from: source, byteCount: template.count)
        let marker = template[1] & 0x80
        out.storeBytes(of: marker | payloadType, toByteOffset: 1, as: UInt8.self)
        out.storeBytes(of: UInt16(truncatingIfNeeded: index).bigEndian, toByteOffset: 2, as: UInt16.self)
        out.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        out.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        if consumer.pointee.stampsSendTime {
            let stamp = UInt32(RouterExtensionID.absSendTime << 4 | 2) << 24 | absSendTime
            out.storeBytes(of: stamp.bigEndian, toByteOffset: HeaderTemplate.absSendTimeOffset, as: UInt32.self)
        }
        if consumer.pointee.usesTransportWideSequence {
            let number = transport.pointee.transportWideSequence
            transport.pointee.transportWideSequence &+= 1
            out.storeBytes(
                of: RouterExtensionID.transportWideSequence << 4 | 1, toByteOffset: HeaderTemplate.transportWideOffset,
                as: UInt8.self)
            out.storeBytes(
                of: number.bigEndian, toByteOffset: HeaderTemplate.transportWideOffset + 1, as: UInt16.self)
        }
        out.storeBytes(of: consumer.pointee.midHead, toByteOffset: HeaderTemplate.midOffset, as: UInt64.self)
        out.storeBytes(of: consumer.pointee.midTail, toByteOffset: HeaderTemplate.midOffset + 8, as: UInt8.self)
        consumer.pointee.renumbering?.apply(to: UnsafeMutableRawBufferPointer(start: out, count: template.count))
        let length: Int
        if let prefix {
            // Without padding (RFC 4588 §4 says nothing of it), and sealed in place: the cipher takes one piece.
            out.storeBytes(of: template[0] & ~0x20, as: UInt8.self)
            (out + template.count).storeBytes(of: prefix.bigEndian, as: UInt16.self)
            UnsafeMutableRawBufferPointer(start: out + template.count + 2, count: payload.count).copyMemory(
                from: payload)
            length =
                transport.pointee.sealer?.sealRTP(
                    out, headerLength: template.count, payload: UnsafeRawPointer(out + template.count),
                    payloadLength: payload.count + 2, ssrc: ssrc, index: index) ?? 0
        } else {
            guard let start = payload.baseAddress else { return false }
            length =
                transport.pointee.sealer?.sealRTP(
                    out, headerLength: template.count, payload: start, payloadLength: payload.count, ssrc: ssrc,
                    index: index) ?? 0
        }
        guard length > 0 else { return false }
        commit(length: length, to: transport, stream: ssrc)
        return true
    }

    /// Header and payload together at most, so that prefix and tag still fit an arena slot.
    static let largestPacket = SendArena.largestDatagram - 64

    // MARK: Retransmission

    private mutating func remember(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        in source: UnsafeMutablePointer<ConsumerSource>
    ) {
        let length = template.count + payload.count
        guard length <= RetransmissionBuffer.maxPacketLength else { return }
        // The template lies in the scratch buffer's first bytes or in a ring; both pieces go behind it, contiguous.
        let joined = UnsafeMutableRawBufferPointer(rebasing: scratch[HeaderTemplate.largestLength..<scratch.count])
        joined.copyMemory(from: template)
        UnsafeMutableRawBufferPointer(rebasing: joined[template.count...]).copyMemory(from: payload)
        let history = source.pointee.histories + Int(packet.encoding)
        let tag = StoredPacketTag(packet)
        history.pointee.store(
            extended: packet.sequence, bytes: UnsafeRawBufferPointer(rebasing: joined[..<length]),
            timestamp: packet.timestamp, tag: tag.rawValue, at: now)
    }

    /// Sends a consumer's packet again, as RTX where negotiated, else as it was (RFC 4588, RFC 4585 §6.2.1).
    mutating func resend(_ sequence: UInt16, to consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard case .flowing = consumer.pointee.flow,
            let extended = consumer.pointee.stream.extended(ofRequested: sequence),
            extended >= consumer.pointee.firstResendable,
            let original = consumer.pointee.sequence.original(ofOutput: extended),
            Int(original.source) < consumer.pointee.source.pointee.encodings,
            let stored = consumer.pointee.source.pointee.histories[Int(original.source)].find(
                extended: original.extended, at: now),
            consumer.pointee.stream.mayResend(extended: extended, at: now)
        else { return }
        let tag = StoredPacketTag(rawValue: stored.tag)
        let template = UnsafeRawBufferPointer(rebasing: stored.bytes[..<tag.headerLength])
        let padded = UnsafeRawBufferPointer(rebasing: stored.bytes[tag.headerLength...])
        let payload = UnsafeRawBufferPointer(rebasing: padded.dropLast(tag.paddingLength))
        let timestamp = consumer.pointee.timestamps.preview(stored.timestamp)
        let isSealed: Bool
        if let rtxSSRC = consumer.pointee.stream.rtxSSRC,
            let rtxPayloadType = consumer.pointee.rtxPayloadType(for: tag.payloadType)
        {
            isSealed = seal(
                template: template, payload: payload, prefix: sequence, payloadType: rtxPayloadType,
                ssrc: rtxSSRC.rawValue, index: consumer.pointee.stream.nextRTXIndex(), timestamp: timestamp,
                for: consumer)
        } else {
            isSealed = seal(
                template: template, payload: padded, prefix: nil, payloadType: tag.payloadType,
                ssrc: consumer.pointee.ssrc, index: extended, timestamp: timestamp, for: consumer)
        }
        guard isSealed else { return }
        consumer.pointee.stream.packetRetransmitted(payloadLength: payload.count, at: now)
        counters.add(.packetsRetransmitted)
    }
}

/// What a stored packet's tag says of its bytes.
private struct StoredPacketTag {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ packet: PreparedPacket) {
        rawValue =
            UInt32(packet.payloadType) | UInt32(packet.paddingLength) << 8 | UInt32(packet.headerLength) << 16
    }

    var payloadType: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    var paddingLength: Int { Int(rawValue >> 8 & 0xFF) }
    var headerLength: Int { Int(rawValue >> 16) }
}
