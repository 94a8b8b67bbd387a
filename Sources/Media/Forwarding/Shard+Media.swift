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
        of stream: UnsafeMutablePointer<ReceivingStream>
    ) {
        guard let codec = stream.pointee.producer.pointee.codec(forPayloadType: header.payloadType) else {
            refused(.unknownPayloadType, packet, on: stream.pointee.producer.pointee.transport)
            return counters.add(.unknownPayloadType)
        }
        let arrival = stream.pointee.stream.packetReceived(
            sequence: header.sequenceNumber.rawValue, timestamp: header.timestamp.rawValue,
            payloadLength: header.payloadLength, at: now)
        let extended: UInt64
        switch arrival {
        case .accept(let number): extended = number
        case .resynchronised(let number):
            extended = number
            stream.pointee.nacks.reset()
            stream.pointee.layers.reset()
            encodingRestarted(stream)
            forceKeyFrame(of: stream)
        case .duplicate, .tooOld: return counters.add(.duplicatePacket)
        case .discarded: return counters.add(.implausibleSequence)
        }
        if header.payloadLength > 0, stream.pointee.score.packetReceived(at: now) {
            producerScoreChanged(stream.pointee.producer)
            touch(stream.pointee.producer.pointee.transport)
        }
        if let level = extensions.audioLevel { soundReceived(level, of: stream) }
        if let orientation = extensions.videoOrientation {
            orientationReceived(orientation & 0x0F, of: stream.pointee.producer)
        }
        accepted(
            header, extensions, codec: codec, extended: extended, isRecovered: false, in: packet, room: room,
            of: stream)
    }

    /// An RTX packet (RFC 4588 §4): its payload starts with the original's sequence number.
    private mutating func retransmissionReceived(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: UnsafeMutablePointer<ReceivingStream>
    ) {
        guard let codec = stream.pointee.producer.pointee.codec(forRTXPayloadType: header.payloadType) else {
            return counters.add(.unknownPayloadType)
        }
        guard header.payloadLength > 2 else {
            stream.pointee.stream.paddingReceived(rtxSequence: header.sequenceNumber.rawValue, at: now)
            return counters.add(.uselessRetransmission)
        }
        let original = packet.loadUnaligned(fromByteOffset: header.headerLength, as: UInt16.self).bigEndian
        let arrival = stream.pointee.stream.retransmissionReceived(
            sequence: header.sequenceNumber.rawValue, originalSequence: original,
            payloadLength: header.payloadLength - 2, at: now)
        guard case .accept(let extended) = arrival else { return counters.add(.uselessRetransmission) }
        var restored = header
        restored.sequenceNumber = SequenceNumber(original)
        restored.headerLength += 2
        restored.payloadLength -= 2
        restored.payloadType = codec.payloadType
        accepted(
            restored, extensions, codec: codec, extended: extended, isRecovered: true, in: packet, room: room,
            of: stream)
    }

    /// A packet that goes on: repair bookkeeping, key frames, then the fan-out.
    private mutating func accepted(
        _ header: RTPHeader, _ extensions: ReceivedExtensions, codec: ProducerCodec, extended: UInt64,
        isRecovered: Bool, in packet: UnsafeRawBufferPointer, room: Int,
        of stream: UnsafeMutablePointer<ReceivingStream>
    ) {
        var payload = UnsafeRawBufferPointer(rebasing: packet[header.payload])
        let isKeyFrame = Media.isKeyFrame(codec: codec.codec, payload: payload)
        if !payload.isEmpty { stream.pointee.producer.pointee.heard(isKeyFrame: isKeyFrame) }
        if isKeyFrame {
            counters.add(.keyFramesReceived)
            stream.pointee.stream.keyFrameReceived()
            stream.pointee.keyFrames.keyFrameReceived(at: now)
        }
        if !stream.pointee.producer.pointee.traces.isEmpty {
            traceReceived(header, size: packet.count, isKeyFrame: isKeyFrame, isRTX: isRecovered, of: stream)
        }
        if stream.pointee.feedback.contains(.nack) {
            let action = stream.pointee.nacks.packetReceived(
                extended: extended, isKeyFrame: isKeyFrame, isRecovered: isRecovered, at: now)
            if action == .requestKeyFrame { forceKeyFrame(of: stream) }
            if stream.pointee.nacks.count > 0 { touch(stream.pointee.producer.pointee.transport) }
        }
        let layers = readLayers(of: payload, extensions, codec: codec.codec, extended: extended, in: packet, of: stream)
        stream.pointee.layerRates.add(layers, bytes: payload.count, at: now)
        // Chromium decodes no AV1 with spatial layers without it; of several encodings each numbers its frames for itself.
        let hasDescriptor = codec.codec == .av1 && stream.pointee.producer.pointee.settings.encodings.count == 1
        let headerLength = HeaderTemplate.write(
            to: scratch.baseAddress!, header: header, payloadType: codec.mappedPayloadType, extensions: extensions,
            in: packet, hasDescriptor: hasDescriptor)  // '!' okay: allocated in init.
        var padding = 0
        if !header.hasMarker, codec.codec.hasKeyFrames {
            padding = SegmentPadding.pad(&payload, headerLength: headerLength, room: room)
            if padding > 0 { scratch.storeBytes(of: scratch[0] | 0x20, as: UInt8.self) }
        }
        let prepared = PreparedPacket(
            producer: stream.pointee.producer.pointee.key.rawValue,
            sequence: stream.pointee.producer.pointee.sequence(extended, encoding: stream.pointee.encoding),
            timestamp: header.timestamp.rawValue, headerLength: UInt16(truncatingIfNeeded: headerLength),
            payloadLength: UInt16(truncatingIfNeeded: payload.count),
            paddingLength: UInt8(truncatingIfNeeded: padding),
            encoding: UInt8(truncatingIfNeeded: stream.pointee.encoding), payloadType: codec.mappedPayloadType,
            codec: codec.codec, isKeyFrame: isKeyFrame, isPaddingOnly: payload.isEmpty, layers: layers)
        let template = UnsafeRawBufferPointer(start: scratch.baseAddress, count: headerLength)
        let shards = stream.pointee.producer.pointee.subscribedShards
        if shards != 0 {
            // Once per shard, however many consumers it has.
            let taken = send(.packet(prepared, template: template, payload: payload), toEach: shards)
            counters.add(.packetsToOtherShards, UInt64(taken))
        }
        forward(prepared, template: template, payload: payload)
    }
}
