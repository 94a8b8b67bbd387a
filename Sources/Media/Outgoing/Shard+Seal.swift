// Safe: `largestPacket` bounds what is written to the batcher's `largestDatagram` bytes, and the template's length is
// `HeaderTemplate`'s.
extension Shard {
    /// Header and payload together at most, so that prefix and tag still fit a datagram's place.
    static let largestPacket = EgressBatcher.largestDatagram - 64

    /// Writes, seals and queues a packet for a consumer.
    /// - Parameters:
    ///   - packet: what was received.
    ///   - payload: as it was received, with padding.
    /// - Returns: whether it was queued: not without keys, and not if it is too large.
    @inline(__always)
    mutating func seal(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, template: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, for consumer: Slot<ShardConsumer>
    ) -> Bool {
        let prefix = outgoing.originalSequence == nil ? 0 : 2
        guard template.count + payload.count + prefix <= Self.largestPacket, let source = payload.baseAddress else {
            counters.add(.oversizedPacket)
            return false
        }
        ensureCapacity()
        let transport = consumers[consumer].transport
        let number = transports[transport].transportWideSequence
        let length = unsafe Self.seal(
            outgoing, of: packet, template: template, payload: payload, source, to: arena.next,
            absSendTime: absSendTime, for: &consumers[consumer], &transports[transport])
        guard length > 0 else { return false }
        commit(length: length, to: transport, stream: outgoing.ssrc)
        if let bandwidth = transports[transport].bandwidth, transports[transport].transportWideSequence != number {
            bandwidths[bandwidth].packetSent(
                number, length: length, .init(outgoing, consumers[consumer].stream.kind), at: now)
        }
        return true
    }

    /// Writes and seals a packet. Consumer and transport are looked up once for all of it.
    /// - Parameter bytes: the first of `payload`.
    /// - Returns: the length of the sealed packet; 0 if it could not be sealed.
    @inline(__always)
    private static func seal(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, template: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, _ bytes: UnsafeRawPointer, to out: UnsafeMutableRawPointer,
        absSendTime: UInt32, for consumer: inout ShardConsumer, _ transport: inout MediaTransport
    ) -> Int {
        let tellsTime = consumer.stream.mayTellTime(outgoing)
        unsafe consumer.header.write(
            outgoing, template: template, to: out, tellsTime: tellsTime, absSendTime: absSendTime,
            transportWide: transport.transportWideSequence)
        if tellsTime, consumer.header.usesTransportWideSequence { transport.transportWideSequence &+= 1 }
        var source = unsafe bytes
        var payloadLength = payload.count
        if outgoing.pictureIDs != nil || outgoing.isPaddingOnly || outgoing.originalSequence != nil {
            payloadLength = unsafe rewritePayload(
                outgoing, of: packet, template: template, payload: payload, header: out)
            unsafe source = UnsafeRawPointer(out + template.count)
        }
        return unsafe transport.protection.sealRTP(
            out, headerLength: template.count, payload: source, payloadLength: payloadLength, ssrc: outgoing.ssrc,
            index: outgoing.index)
    }

    /// Puts a payload that is not the received one behind a header.
    /// - Returns: its length.
    @inline(never)
    private static func rewritePayload(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, template: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, header: UnsafeMutableRawPointer
    ) -> Int {
        var out = unsafe header + template.count
        var length = payload.count
        var prefix = 0
        if let original = outgoing.originalSequence {
            // The original's number goes before its payload (RFC 4588 §4), and of padding that RFC says nothing.
            unsafe out.storeBytes(of: original.bigEndian, as: UInt16.self)
            unsafe out += 2
            prefix = 2
            length = outgoing.isPaddingOnly ? 0 : length - Int(packet.paddingLength)
            unsafe header.storeBytes(of: template[0] & ~0x20, as: UInt8.self)
        } else if outgoing.isPaddingOnly {
            // A packet of padding alone (RFC 3550 §5.1).
            unsafe header.storeBytes(of: template[0] | 0x20, as: UInt8.self)
            let padding = max(Int(outgoing.paddingLength), 1)
            unsafe out.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
            unsafe out.storeBytes(of: outgoing.paddingLength, toByteOffset: padding - 1, as: UInt8.self)
            return padding
        }
        let copy = unsafe UnsafeMutableRawBufferPointer(start: out, count: length)
        unsafe copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: payload[..<length]))
        if let pictureIDs = outgoing.pictureIDs {
            unsafe PictureIDRewriter.write(pictureIDs, packet.layers, into: copy)
        }
        return prefix + length
    }
}
