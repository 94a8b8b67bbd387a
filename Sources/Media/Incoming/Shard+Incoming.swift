// Safe: a datagram is read and decrypted within its count; streams and producers are the shard's own (`Shard+Lifetimes`).
extension Shard {
    /// An SRTP packet: decrypted in place, put into its stream, forwarded.
    mutating func rtpReceived(
        _ datagram: UnsafeMutableRawBufferPointer, on transport: UnsafeMutablePointer<MediaTransport>,
        _ webRTC: UnsafeMutablePointer<WebRTCAssociation>, tuple: TupleID
    ) {
        let length: Int
        switch transport.pointee.protection.openRTP(datagram) {
        case .packet(let plain): length = plain
        case .dropped(let reason):
            if reason == .srtpAuthentication {
                refused(.authentication, UnsafeRawBufferPointer(datagram), on: transport)
            }
            return counters.add(reason)
        }
        if webRTC.pointee.ice.mediaReceived(on: tuple, at: now) { iceAdvanced(transport, webRTC) }
        openedRTPReceived(datagram, length: length, on: transport)
    }

    /// An RTP packet in the clear, `length` bytes at the start of its datagram.
    /// - Returns: whether it is of a stream that the transport's producers know.
    @discardableResult
    mutating func openedRTPReceived(
        _ datagram: UnsafeMutableRawBufferPointer, length: Int, on transport: UnsafeMutablePointer<MediaTransport>
    ) -> Bool {
        let packet = UnsafeRawBufferPointer(rebasing: datagram[..<length])
        guard let header = try? RTPHeader(parsing: packet) else {
            counters.add(.malformedRTP)
            return false
        }
        let known = transport.pointee.streams.find(header.ssrc.rawValue)
        // An id's meaning is a media section's, and so a producer's; who that is, is not known yet of a new SSRC.
        var extensions: ReceivedExtensions
        if let known {
            extensions = ReceivedExtensions(header, in: packet, ids: known.stream.pointee.producer.pointee.extensionIDs)
        } else {
            extensions = ReceivedExtensions(header, in: packet, ids: transport.pointee.extensionIDs)
        }
        if let number = extensions.transportWideSequence, transport.pointee.sendsTransportFeedback {
            let wasIdle = transport.pointee.recorder.nextDeadline == nil
            transport.pointee.recorder.packetReceived(sequence: number, at: now)
            if wasIdle { touch(transport) }
        }
        guard let reference = known ?? learnStream(header, in: packet, on: transport) else {
            transport.pointee.protection.forget(header.ssrc.rawValue)
            refused(.unknownSSRC, packet, on: transport)
            counters.add(.unknownSSRC)
            return false
        }
        if known == nil {
            extensions = ReceivedExtensions(
                header, in: packet, ids: reference.stream.pointee.producer.pointee.extensionIDs)
        }
        counters.add(.packetsReceived)
        if reference.isRTX {
            transport.pointee.traffic.rtxReceived &+= UInt64(length)
        } else {
            transport.pointee.traffic.rtpReceived &+= UInt64(length)
        }
        // Where the tag and the sender's padding were, there is room behind the payload.
        let room = datagram.count - header.payload.upperBound
        if reference.stream.pointee.producer.pointee.isPaused {
            counters.add(.producerPaused)
        } else if reference.isRTX {
            retransmissionReceived(header, extensions, in: packet, room: room, of: reference.stream)
        } else {
            mediaReceived(header, extensions, in: packet, room: room, of: reference.stream)
        }
        return true
    }

    private mutating func mediaReceived(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: UnsafeMutablePointer<IncomingStream>
    ) {
        guard let codec = stream.pointee.producer.pointee.codec(forPayloadType: header.payloadType) else {
            refused(.unknownPayloadType, packet, on: stream.pointee.producer.pointee.transport)
            return counters.add(.unknownPayloadType)
        }
        let step = stream.pointee.packetArrived(
            header, payload: UnsafeRawBufferPointer(rebasing: packet[header.payload]),
            descriptor: extensions.descriptor(in: packet), codec: codec.codec, at: now)
        carryOut(step.effects, of: stream)
        switch step.verdict {
        case .drop(let reason): counters.add(reason)
        case .forward(let placed):
            if let level = extensions.audioLevel { audioLevelReceived(level, of: stream) }
            if let orientation = extensions.videoOrientation {
                orientationReceived(orientation & 0x0F, of: stream.pointee.producer)
            }
            forward(placed, header, extensions, codec: codec, in: packet, room: room, of: stream)
        }
    }

    /// An RTX packet (RFC 4588 §4): its payload starts with the original's sequence number.
    private mutating func retransmissionReceived(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: UnsafeMutablePointer<IncomingStream>
    ) {
        guard let codec = stream.pointee.producer.pointee.codec(forRTXPayloadType: header.payloadType) else {
            return counters.add(.unknownPayloadType)
        }
        var restored = header
        var original: UInt16?
        if header.payloadLength > 2 {
            let number = packet.loadUnaligned(fromByteOffset: header.headerLength, as: UInt16.self).bigEndian
            original = number
            restored.sequenceNumber = SequenceNumber(number)
            restored.headerLength += 2
            restored.payloadLength -= 2
            restored.payloadType = codec.payloadType
        }
        let step = stream.pointee.retransmissionArrived(
            header.sequenceNumber.rawValue, of: original,
            payload: UnsafeRawBufferPointer(rebasing: packet[restored.payload]),
            descriptor: extensions.descriptor(in: packet), codec: codec.codec, at: now)
        carryOut(step.effects, of: stream)
        switch step.verdict {
        case .drop(let reason): counters.add(reason)
        case .forward(let placed):
            forward(placed, restored, extensions, codec: codec, in: packet, room: room, of: stream)
        }
    }

    /// Does what follows from a packet, or from a deadline, besides its forwarding.
    mutating func carryOut(_ effects: IncomingStep.Effects, of stream: UnsafeMutablePointer<IncomingStream>) {
        if effects.isEmpty { return }
        if effects.contains(.restarted) { encodingRestarted(stream) }
        if effects.contains(.requestsKeyFrame) { sendKeyFrameRequest(stream) }
        if effects.contains(.changesScore) { producerScoreChanged(stream.pointee.producer) }
        if effects.contains(.movesDeadline) { touch(stream.pointee.producer.pointee.transport) }
    }

    /// Makes a packet ready for fan-out, once for all consumers, and gives it to them and to the shards of the others.
    private mutating func forward(
        _ placed: IncomingPacket, _ header: RTPHeader, _ extensions: ReceivedExtensions, codec: ProducerCodec,
        in packet: UnsafeRawBufferPointer, room: Int, of stream: UnsafeMutablePointer<IncomingStream>
    ) {
        let producer = stream.pointee.producer
        var payload = UnsafeRawBufferPointer(rebasing: packet[header.payload])
        if !payload.isEmpty { producer.pointee.heard(isKeyFrame: placed.isKeyFrame) }
        if placed.isKeyFrame { counters.add(.keyFramesReceived) }
        if !producer.pointee.traces.isEmpty {
            traceReceived(
                header, size: packet.count, isKeyFrame: placed.isKeyFrame, isRTX: placed.isRecovered, of: stream)
        }
        // Chromium decodes no AV1 with spatial layers without it; of several encodings each numbers its frames for itself.
        let hasDescriptor = codec.codec == .av1 && producer.pointee.settings.encodings.count == 1
        let headerLength = HeaderTemplate.write(
            to: scratch.baseAddress!, header: header, payloadType: codec.mappedPayloadType, extensions: extensions,
            in: packet, hasDescriptor: hasDescriptor)  // '!' okay: allocated in init.
        var padding = 0
        if !header.hasMarker, codec.codec.hasKeyFrames {
            padding = SegmentPadding.pad(&payload, headerLength: headerLength, room: room)
            if padding > 0 { scratch.storeBytes(of: scratch[0] | 0x20, as: UInt8.self) }
        }
        let encoding = stream.pointee.encoding
        let prepared = PreparedPacket(
            producer: producer.pointee.key.rawValue,
            sequence: producer.pointee.sequence(placed.sequence, encoding: encoding),
            timestamp: header.timestamp.rawValue, headerLength: UInt16(truncatingIfNeeded: headerLength),
            payloadLength: UInt16(truncatingIfNeeded: payload.count),
            paddingLength: UInt8(truncatingIfNeeded: padding), encoding: UInt8(truncatingIfNeeded: encoding),
            payloadType: codec.mappedPayloadType, codec: codec.codec, isKeyFrame: placed.isKeyFrame,
            isPaddingOnly: payload.isEmpty, layers: placed.layers)
        let template = UnsafeRawBufferPointer(start: scratch.baseAddress, count: headerLength)
        let shards = producer.pointee.subscribedShards
        if shards != 0 {
            // Once per shard, however many consumers it has.
            let taken = send(.packet(prepared, template: template, payload: payload), toEach: shards)
            counters.add(.packetsToOtherShards, UInt64(taken))
        }
        forward(prepared, template: template, payload: payload)
    }

    // MARK: Encodings

    /// Tells every shard with consumers of it what an encoding's sender has reported, and since when it is sent.
    mutating func encodingAdvanced(_ stream: UnsafeMutablePointer<IncomingStream>) {
        let producer = stream.pointee.producer
        stream.pointee.stateAdvanced()
        let (state, encoding) = (stream.pointee.state, stream.pointee.encoding)
        let key = producer.pointee.key.rawValue
        encodingAdvanced(key, encoding: encoding, to: state)
        send(
            .encodingAdvanced(producer: key, encoding: encoding, state), toEach: producer.pointee.subscribedShards)
    }

    /// An encoding's stream ended or restarted: nothing that was known of it holds.
    mutating func encodingRestarted(_ stream: UnsafeMutablePointer<IncomingStream>) {
        let producer = stream.pointee.producer
        let encoding = stream.pointee.encoding
        let key = producer.pointee.key.rawValue
        encodingRestarted(key, encoding: encoding)
        send(.encodingRestarted(producer: key, encoding: encoding), toEach: producer.pointee.subscribedShards)
    }
}

extension ReceivedExtensions {
    /// The dependency descriptor's bytes, or none.
    fileprivate func descriptor(in packet: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let range = dependencyDescriptor else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: packet[range])
    }
}
