// Safe: what a retransmission buffer returns is read before the buffer changes; consumers are the shard's own.
extension Shard {
    mutating func remember(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        at time: MediaInstant, in source: UnsafeMutablePointer<ConsumerSource>
    ) {
        // The template lies in the scratch buffer's first bytes or in a ring; the pieces go behind it, contiguous.
        let joined = UnsafeMutableRawBufferPointer(rebasing: scratch[HeaderTemplate.largestLength..<scratch.count])
        guard let bytes = StoredPacket.write(packet, template: template, payload: payload, to: joined) else {
            return source.pointee.forgetGroup(of: Int(packet.encoding))
        }
        let history = source.pointee.histories + Int(packet.encoding)
        history.pointee.store(extended: packet.sequence, bytes: bytes, timestamp: packet.timestamp, at: time)
        if packet.isKeyFrame { source.pointee.keyFrameStored(packet) }
    }

    /// Sends a consumer's packet again, as RTX where negotiated, else as it was (RFC 4588, RFC 4585 §6.2.1).
    mutating func resend(_ sequence: UInt16, to consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.hasBegun,
            let extended = consumer.pointee.stream.extended(ofRequested: sequence),
            extended >= consumer.pointee.firstResendable,
            let original = consumer.pointee.sequence.original(ofOutput: extended),
            Int(original.source) < consumer.pointee.source.pointee.encodings,
            let stored = consumer.pointee.source.pointee.histories[Int(original.source)].find(
                extended: original.extended, at: now),
            let (packet, template, padded) = StoredPacket.read(stored.bytes)
        else { return }
        guard !consumer.pointee.leavesOut(packet) else { return }
        var timestamp = consumer.pointee.timestamps.preview(packet.timestamp)
        var hasMarker = template[1] & 0x80 != 0
        var names: PictureIDRewriter.Rewritten?
        var isFiller = false
        if let selection = consumer.pointee.selection {
            let change = selection.pointee.change(ofOutput: extended)
            isFiller = change == .filler
            if change == .marker { hasMarker = true }
            let previous = extended < selection.pointee.firstOutput ? selection.pointee.previous : nil
            if let previous { timestamp = packet.timestamp &+ previous.timestampOffset }
            if !isFiller, packet.codec == .vp8, packet.layers.flags.hasNames {
                var pictures = previous?.pictures ?? selection.pointee.pictures
                names = pictures.rewrite(packet.layers)
                guard names != nil else { return }
            }
        }
        guard consumer.pointee.stream.mayResend(extended: extended, at: now) else { return }
        let dropped = isFiller ? padded.count : Int(packet.paddingLength)
        let payload = UnsafeRawBufferPointer(rebasing: padded.dropLast(dropped))
        let isSealed: Bool
        if let ssrc = consumer.pointee.stream.rtxSSRC,
            let rtxPayloadType = consumer.pointee.rtxPayloadType(for: packet.payloadType)
        {
            isSealed = sealRTX(
                template: template, payload: payload, original: sequence, named: names, packet.layers,
                hasMarker: hasMarker, payloadType: rtxPayloadType, ssrc: ssrc,
                index: consumer.pointee.stream.nextRTXIndex(), timestamp: timestamp, for: consumer)
        } else if isFiller {
            isSealed = sealFiller(
                template: template, payloadType: packet.payloadType, index: extended, timestamp: timestamp,
                for: consumer)
        } else {
            isSealed = seal(
                template: template, copying: padded, named: names, packet.layers, hasMarker: hasMarker,
                payloadType: packet.payloadType, index: extended, timestamp: timestamp, for: consumer)
        }
        guard isSealed else { return }
        consumer.pointee.stream.packetRetransmitted(payloadLength: payload.count, at: now)
        let transport = consumer.pointee.transport
        transport.pointee.traffic.rtxSent &+= UInt64(template.count + payload.count)
        counters.add(.packetsRetransmitted)
        if !consumer.pointee.traces.isEmpty {
            traceSent(
                packet, to: consumer, sequence: extended, timestamp: timestamp, hasMarker: hasMarker, isRTX: true)
        }
    }
}
