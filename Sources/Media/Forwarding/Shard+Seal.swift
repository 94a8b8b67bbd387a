extension Shard {
    /// Header and payload together at most, so that prefix and tag still fit an arena slot.
    static let largestPacket = EgressBatcher.largestDatagram - 64

    /// Writes, seals and queues one packet of a consumer, its payload straight from where it lies.
    mutating func seal(
        template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, hasMarker: Bool, payloadType: UInt8,
        index: UInt64, timestamp: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        let ssrc = consumer.pointee.ssrc
        guard let start = payload.baseAddress,
            let out = writeHeader(
                template, payloadLength: payload.count, hasMarker: hasMarker, payloadType: payloadType, ssrc: ssrc,
                index: index, timestamp: timestamp, for: consumer)
        else { return false }
        let transport = consumer.pointee.transport
        let length = transport.pointee.protection.sealRTP(
            out, headerLength: template.count, payload: start, payloadLength: payload.count, ssrc: ssrc, index: index)
        guard length > 0 else { return false }
        commit(length: length, to: transport, stream: ssrc)
        return true
    }

    /// Like `seal(template:payload:…)`, with other names for the picture, if it has other names.
    mutating func seal(
        template: UnsafeRawBufferPointer, copying payload: UnsafeRawBufferPointer,
        named names: PictureIDRewriter.Rewritten?, _ layers: PacketLayers, hasMarker: Bool, payloadType: UInt8,
        index: UInt64, timestamp: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        guard let names else {
            return seal(
                template: template, payload: payload, hasMarker: hasMarker, payloadType: payloadType, index: index,
                timestamp: timestamp, for: consumer)
        }
        let ssrc = consumer.pointee.ssrc
        guard
            let out = writeHeader(
                template, payloadLength: payload.count, hasMarker: hasMarker, payloadType: payloadType, ssrc: ssrc,
                index: index, timestamp: timestamp, for: consumer)
        else { return false }
        let copy = UnsafeMutableRawBufferPointer(start: out + template.count, count: payload.count)
        copy.copyMemory(from: payload)
        PictureIDRewriter.write(names, layers, into: copy)
        return sealInPlace(
            out, headerLength: template.count, payloadLength: payload.count, ssrc: ssrc, index: index, for: consumer)
    }

    /// A retransmission of `original` (RFC 4588 §4): its number goes before the payload.
    /// - Parameter payload: without padding, of which RFC 4588 §4 says nothing.
    mutating func sealRTX(
        template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, original: UInt16,
        named names: PictureIDRewriter.Rewritten?, _ layers: PacketLayers, hasMarker: Bool, payloadType: UInt8,
        ssrc: SSRC, index: UInt64, timestamp: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        guard
            let out = writeHeader(
                template, payloadLength: payload.count, hasMarker: hasMarker, payloadType: payloadType,
                ssrc: ssrc.rawValue, index: index, timestamp: timestamp, for: consumer)
        else { return false }
        out.storeBytes(of: template[0] & ~0x20, as: UInt8.self)
        (out + template.count).storeBytes(of: original.bigEndian, as: UInt16.self)
        let copy = UnsafeMutableRawBufferPointer(start: out + template.count + 2, count: payload.count)
        copy.copyMemory(from: payload)
        if let names { PictureIDRewriter.write(names, layers, into: copy) }
        return sealInPlace(
            out, headerLength: template.count, payloadLength: payload.count + 2, ssrc: ssrc.rawValue, index: index,
            for: consumer)
    }

    /// A packet of padding alone (RFC 3550 §5.1).
    mutating func sealFiller(
        template: UnsafeRawBufferPointer, payloadType: UInt8, index: UInt64, timestamp: UInt32,
        for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        let ssrc = consumer.pointee.ssrc
        guard
            let out = writeHeader(
                template, payloadLength: 1, hasMarker: false, payloadType: payloadType, ssrc: ssrc, index: index,
                timestamp: timestamp, for: consumer)
        else { return false }
        out.storeBytes(of: template[0] | 0x20, as: UInt8.self)
        out.storeBytes(of: 1, toByteOffset: template.count, as: UInt8.self)
        return sealInPlace(
            out, headerLength: template.count, payloadLength: 1, ssrc: ssrc, index: index, for: consumer)
    }

    private mutating func sealInPlace(
        _ out: UnsafeMutableRawPointer, headerLength: Int, payloadLength: Int, ssrc: UInt32, index: UInt64,
        for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> Bool {
        let transport = consumer.pointee.transport
        let length = transport.pointee.protection.sealRTP(
            out, headerLength: headerLength, payload: UnsafeRawPointer(out + headerLength),
            payloadLength: payloadLength, ssrc: ssrc, index: index)
        guard length > 0 else { return false }
        commit(length: length, to: transport, stream: ssrc)
        return true
    }

    /// Writes a consumer's header into the arena.
    /// - Returns: where it begins, with room for the payload behind it; `nil` for a packet that does not fit.
    // Safe: `largestPacket` bounds what is written to the arena's `largestDatagram` bytes, and the template's length is
    // `HeaderTemplate`'s.
    @inline(__always)
    private mutating func writeHeader(
        _ template: UnsafeRawBufferPointer, payloadLength: Int, hasMarker: Bool, payloadType: UInt8, ssrc: UInt32,
        index: UInt64, timestamp: UInt32, for consumer: UnsafeMutablePointer<ShardConsumer>
    ) -> UnsafeMutableRawPointer? {
        guard template.count + payloadLength <= Self.largestPacket, let source = template.baseAddress else {
            counters.add(.oversizedPacket)
            return nil
        }
        makeRoom()
        let out = arena.next
        out.copyMemory(from: source, byteCount: template.count)
        out.storeBytes(of: (hasMarker ? 0x80 : 0) | payloadType, toByteOffset: 1, as: UInt8.self)
        out.storeBytes(of: UInt16(truncatingIfNeeded: index).bigEndian, toByteOffset: 2, as: UInt16.self)
        out.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        out.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        if consumer.pointee.stampsSendTime {
            let stamp = UInt32(HeaderExtension.absSendTime.routerID << 4 | 2) << 24 | absSendTime
            out.storeBytes(of: stamp.bigEndian, toByteOffset: HeaderTemplate.absSendTimeOffset, as: UInt32.self)
        }
        if consumer.pointee.usesTransportWideSequence {
            let transport = consumer.pointee.transport
            let number = transport.pointee.transportWideSequence
            transport.pointee.transportWideSequence &+= 1
            out.storeBytes(
                of: HeaderExtension.transportWideSequence.routerID << 4 | 1,
                toByteOffset: HeaderTemplate.transportWideOffset,
                as: UInt8.self)
            out.storeBytes(
                of: number.bigEndian, toByteOffset: HeaderTemplate.transportWideOffset + 1, as: UInt16.self)
        }
        out.storeBytes(of: consumer.pointee.midHead, toByteOffset: HeaderTemplate.midOffset, as: UInt64.self)
        out.storeBytes(of: consumer.pointee.midTail, toByteOffset: HeaderTemplate.midOffset + 8, as: UInt8.self)
        if DescriptorForwarding.isIn(template) {
            consumer.pointee.descriptors.finish(UnsafeMutableRawBufferPointer(start: out, count: template.count))
        }
        consumer.pointee.renumbering?.apply(to: UnsafeMutableRawBufferPointer(start: out, count: template.count))
        return out
    }
}
