// Safe: a datagram is read and decrypted within its count; `scratch` has room for the largest template.
extension Shard {
    /// An SRTP packet: decrypted in place, put into its stream, forwarded.
    mutating func rtpReceived(
        _ datagram: UnsafeMutableRawBufferPointer, on transport: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>, tuple: TupleID
    ) {
        let length: Int
        switch unsafe transports[transport].protection.openRTP(datagram) {
        case .packet(let plain): length = plain
        case .dropped(let reason):
            if reason == .srtpAuthentication {
                unsafe refused(.authentication, UnsafeRawBufferPointer(datagram), on: transport)
            }
            return counters.add(reason)
        }
        if webRTCAssociations[webRTC].ice.mediaReceived(on: tuple, at: now) { iceAdvanced(transport, webRTC) }
        unsafe openedRTPReceived(datagram, length: length, on: transport)
    }

    /// An RTP packet in the clear, `length` bytes at the start of its datagram.
    /// - Returns: whether it is of a stream that the transport's producers know.
    @discardableResult
    mutating func openedRTPReceived(
        _ datagram: UnsafeMutableRawBufferPointer, length: Int, on transport: Slot<MediaTransport>
    ) -> Bool {
        let packet = unsafe UnsafeRawBufferPointer(rebasing: datagram[..<length])
        guard let header = try? unsafe RTPHeader(parsing: packet) else {
            counters.add(.malformedRTP)
            return false
        }
        // Before it is noted as received: to congestion control and whoever asks for what is missing it is lost.
        guard transports[transport].bucket.take(length, transportRate, at: now) else {
            counters.add(.transportRate)
            return false
        }
        let known = transports[transport].streams.find(header.ssrc.rawValue)
        if let known, !producers[streams[known.stream].producer].bucket.take(length, producerRate, at: now) {
            counters.add(.producerRate)
            return true
        }
        // An id's meaning is a media section's, and so a producer's; who that is, is not known yet of a new SSRC.
        var extensions: ReceivedExtensions
        if let known {
            extensions = unsafe ReceivedExtensions(
                header, in: packet, ids: producers[streams[known.stream].producer].extensionIDs)
        } else {
            extensions = unsafe ReceivedExtensions(header, in: packet, ids: transports[transport].extensionIDs)
        }
        if let number = extensions.transportWideSequence, transports[transport].sendsTransportFeedback {
            let wasIdle = transports[transport].recorder.nextDeadline == nil
            transports[transport].recorder.packetReceived(sequence: number, at: now)
            if wasIdle { rescheduleTimer(of: transport) }
        }
        guard let reference = unsafe known ?? learnStream(header, in: packet, on: transport) else {
            transports[transport].protection.retire(header.ssrc.rawValue)
            unsafe refused(.unknownSSRC, packet, on: transport)
            counters.add(.unknownSSRC)
            return false
        }
        if let incoming = transports[transport].incoming {
            incomingReceived(incoming, sendTime: extensions.absSendTime, size: length, on: transport)
        }
        if known == nil {
            extensions = unsafe ReceivedExtensions(
                header, in: packet, ids: producers[streams[reference.stream].producer].extensionIDs)
        }
        counters.add(.packetsReceived)
        if streams[reference.stream].kind == .audio { counters.add(.audioPacketsReceived) }
        if reference.isRTX {
            transports[transport].traffic.rtxReceived &+= UInt64(length)
        } else {
            transports[transport].traffic.rtpReceived &+= UInt64(length)
        }
        if transports[transport].reports.isAsleep { wakeReports(of: transport) }
        // Where the tag and the sender's padding were, there is room behind the payload.
        let room = datagram.count - header.payload.upperBound
        if producers[streams[reference.stream].producer].isPaused {
            counters.add(.producerPaused)
        } else if reference.isRTX {
            unsafe retransmissionReceived(header, extensions, in: packet, room: room, of: reference.stream)
        } else {
            unsafe mediaReceived(header, extensions, in: packet, room: room, of: reference.stream)
        }
        return true
    }

    private mutating func mediaReceived(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: Slot<IncomingStream>
    ) {
        guard let codec = producers[streams[stream].producer].codec(forPayloadType: header.payloadType) else {
            unsafe refused(.unknownPayloadType, packet, on: producers[streams[stream].producer].transport)
            return counters.add(.unknownPayloadType)
        }
        let step = unsafe streams[stream].packetArrived(
            header, payload: UnsafeRawBufferPointer(rebasing: packet[header.payload]),
            descriptor: extensions.descriptor(in: packet), codec: codec.codec, at: now)
        apply(step.effects, of: stream)
        switch step.verdict {
        case .drop(let reason): counters.add(reason)
        case .forward(let placed):
            if let level = extensions.audioLevel { audioLevelReceived(level, of: stream) }
            if let orientation = extensions.videoOrientation {
                orientationReceived(orientation & 0x0F, of: streams[stream].producer)
            }
            if codec.mappedPayloadType != producers[streams[stream].producer].currentPayloadType {
                codecSeen(codec, canStart: placed.isKeyFrame, of: stream)
            }
            unsafe forward(placed, header, extensions, codec: codec, in: packet, room: room, of: stream)
        }
    }

    /// The sender may have changed to another of the codecs that it negotiated. Where it sends several encodings, the first
    /// speaks for all.
    private mutating func codecSeen(_ codec: ProducerCodec, canStart: Bool, of stream: Slot<IncomingStream>) {
        let producer = streams[stream].producer
        guard streams[stream].encoding == 0, producers[producer].codecSeen(codec, canStart: canStart, at: now) else {
            return
        }
        for case .some(let stream) in producers[producer].streams { streams[stream].codecChanged(to: codec) }
        let transport = producers[producer].transport
        transports[transport].events.append(
            .producerCodecChanged(producers[producer].key, payloadType: codec.mappedPayloadType))
    }

    /// An RTX packet (RFC 4588 §4): its payload starts with the original's sequence number.
    private mutating func retransmissionReceived(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: Slot<IncomingStream>
    ) {
        guard let codec = producers[streams[stream].producer].codec(forRTXPayloadType: header.payloadType) else {
            return counters.add(.unknownPayloadType)
        }
        var restored = header
        var original: UInt16?
        if header.payloadLength > 2 {
            let number = unsafe packet.loadUnaligned(fromByteOffset: header.headerLength, as: UInt16.self).bigEndian
            original = number
            restored.sequenceNumber = SequenceNumber(number)
            restored.headerLength += 2
            restored.payloadLength -= 2
            restored.payloadType = codec.payloadType
        }
        let step = unsafe streams[stream].retransmissionArrived(
            header.sequenceNumber.rawValue, of: original,
            payload: UnsafeRawBufferPointer(rebasing: packet[restored.payload]),
            descriptor: extensions.descriptor(in: packet), codec: codec.codec, at: now)
        apply(step.effects, of: stream)
        switch step.verdict {
        case .drop(let reason): counters.add(reason)
        case .forward(let placed):
            unsafe forward(placed, restored, extensions, codec: codec, in: packet, room: room, of: stream)
        }
    }

    /// Does what follows from a packet, or from a deadline, besides its forwarding.
    mutating func apply(_ effects: IncomingStep.Effects, of stream: Slot<IncomingStream>) {
        if effects.isEmpty { return }
        if effects.contains(.restarted) { encodingRestarted(stream) }
        if effects.contains(.requestsKeyFrame) { sendKeyFrameRequest(stream) }
        if effects.contains(.changesScore) { producerScoreChanged(streams[stream].producer) }
        if effects.contains(.movesDeadline) { rescheduleTimer(of: producers[streams[stream].producer].transport) }
    }

    /// Makes a packet ready for fan-out, once for all consumers, and gives it to them and to the shards of the others.
    private mutating func forward(
        _ placed: IncomingPacket, _ header: RTPHeader, _ extensions: ReceivedExtensions, codec: ProducerCodec,
        in packet: UnsafeRawBufferPointer, room: Int, of stream: Slot<IncomingStream>
    ) {
        let producer = streams[stream].producer
        var payload = unsafe UnsafeRawBufferPointer(rebasing: packet[header.payload])
        if unsafe !payload.isEmpty {
            if !producers[producer].isHeard { mediaHeard(on: producers[producer].transport) }
            producers[producer].heard(isKeyFrame: placed.isKeyFrame)
        }
        if placed.isKeyFrame { counters.add(.keyFramesReceived) }
        if packet.count > SegmentPadding.longest { warnOfSize(of: producers[producer].transport) }
        if !producers[producer].traces.isEmpty {
            traceReceived(
                header, size: packet.count, isKeyFrame: placed.isKeyFrame, isRTX: placed.isRecovered, of: stream)
        }
        // Chromium decodes no AV1 with spatial layers without it; of several encodings each numbers its frames for itself.
        let hasDescriptor = codec.codec == .av1 && producers[producer].settings.encodings.count == 1
        let headerLength = unsafe HeaderTemplate.write(
            to: scratch.baseAddress!, header: header, payloadType: codec.mappedPayloadType, extensions: extensions,
            in: packet, hasDescriptor: hasDescriptor)  // '!' okay: allocated in init.
        var padding = 0
        if !header.hasMarker, codec.codec.hasKeyFrames {
            padding = unsafe SegmentPadding.pad(&payload, headerLength: headerLength, room: room)
            if padding > 0 { unsafe scratch.storeBytes(of: scratch[0] | 0x20, as: UInt8.self) }
        }
        let encoding = streams[stream].encoding
        let prepared = unsafe PreparedPacket(
            producer: producers[producer].key.rawValue,
            sequence: producers[producer].sequence(placed.sequence, encoding: encoding),
            timestamp: header.timestamp.rawValue, headerLength: UInt16(truncatingIfNeeded: headerLength),
            payloadLength: UInt16(truncatingIfNeeded: payload.count),
            paddingLength: UInt8(truncatingIfNeeded: padding), encoding: UInt8(truncatingIfNeeded: encoding),
            payloadType: codec.mappedPayloadType, codec: codec.codec, isKeyFrame: placed.isKeyFrame,
            isPaddingOnly: payload.isEmpty, layers: placed.layers)
        let template = unsafe UnsafeRawBufferPointer(start: scratch.baseAddress, count: headerLength)
        let shards = producers[producer].subscribedShards
        if shards != 0 {
            // Once per shard, however many consumers it has.
            let taken = unsafe send(.packet(prepared, template: template, payload: payload), toEach: shards)
            counters.add(.packetsToOtherShards, UInt64(taken))
        }
        unsafe forward(prepared, template: template, payload: payload)
    }

    // MARK: Encodings

    /// Tells every shard with consumers of it what an encoding's sender has reported, and since when it is sent.
    mutating func encodingAdvanced(_ stream: Slot<IncomingStream>) {
        let producer = streams[stream].producer
        streams[stream].stateAdvanced()
        let (state, encoding) = (streams[stream].state, streams[stream].encoding)
        let key = producers[producer].key.rawValue
        encodingAdvanced(key, encoding: encoding, to: state)
        send(
            .encodingAdvanced(producer: key, encoding: encoding, state), toEach: producers[producer].subscribedShards)
    }

    /// An encoding's stream ended or restarted: nothing that was known of it holds.
    mutating func encodingRestarted(_ stream: Slot<IncomingStream>) {
        let producer = streams[stream].producer
        let encoding = streams[stream].encoding
        let key = producers[producer].key.rawValue
        encodingRestarted(key, encoding: encoding)
        send(.encodingRestarted(producer: key, encoding: encoding), toEach: producers[producer].subscribedShards)
    }
}

extension ReceivedExtensions {
    /// The dependency descriptor's bytes, or none.
    fileprivate func descriptor(in packet: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let range = dependencyDescriptor else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(rebasing: packet[range])
    }
}
