extension SCTPAssociation {
    /// Reads one packet. Whatever is not this association's is counted and nothing else.
    mutating func packetReceived(_ packet: UnsafeRawBufferPointer, at now: MediaInstant) {
        guard var reader = try? unsafe SCTPPacketReader(parsing: packet) else {
            counters.malformed &+= 1
            return
        }
        guard reader.destinationPort == settings.localPort, reader.sourcePort == settings.remotePort else {
            counters.foreign &+= 1
            return
        }
        // RFC 9653 §5.3: a peer may leave out the checksum once we have said that we do without.
        let mayLackChecksum = reader.checksum == 0 && settings.capabilities.contains(.zeroChecksum)
        guard mayLackChecksum || reader.hasValidChecksum else {
            counters.wrongChecksum &+= 1
            return
        }
        guard let first = reader.next(), isOurs(first, tag: reader.verificationTag, reader.chunkCount, at: now) else {
            return
        }
        var next = Optional(first)
        while let chunk = next, chunkReceived(chunk, at: now) { next = reader.next() }
        packetEnded(at: now)
    }

    /// Whether the packet is this association's (RFC 9260 §8.5). INIT and COOKIE ECHO are dealt with here.
    private mutating func isOurs(_ first: SCTPChunkView, tag: UInt32, _ count: Int, at now: MediaInstant) -> Bool {
        switch first.type {
        case .initiation:
            guard tag == 0, count == 1 else { break }
            initiationReceived(first, at: now)
            return false
        case .cookieEcho: return cookieEchoReceived(first, tag: tag, at: now)
        case .abort, .shutdownComplete:
            let isReflected = first.flags & SCTPChunkView.reflectedTag != 0
            if state != .closed, isReflected ? tag == peer?.tag : tag == localTag { return true }
        case .shutdownAck where state == .closed:
            // The peer has not heard that it is over (RFC 9260 §8.4).
            guard answerQuota.take(at: now) else { break }
            reply(tag: tag) { (writer) throws(WireError) in
                try writer.append(.shutdownComplete, flags: SCTPChunkView.reflectedTag)
            }
            return false
        default: if state != .closed, tag == localTag { return true }
        }
        counters.foreign &+= 1
        return false
    }

    /// - Returns: whether the packet's next chunk is read.
    private mutating func chunkReceived(_ chunk: SCTPChunkView, at now: MediaInstant) -> Bool {
        switch chunk.type {
        case .data, .interleavedData: return dataReceived(chunk, at: now)
        case .selectiveAck: selectiveAckReceived(chunk, at: now)
        case .forwardTSN, .interleavedForwardTSN: return forwardReceived(chunk, at: now)
        case .initiationAck: initiationAckReceived(chunk, at: now)
        case .cookieAck: cookieAckReceived(at: now)
        case .heartbeat: heartbeatReceived(chunk, at: now)
        case .heartbeatAck: heartbeatAckReceived(chunk, at: now)
        case .reconfiguration: reconfigurationReceived(chunk, at: now)
        case .error: errorReceived(chunk, at: now)
        case .abort:
            finish(.abortedByPeer(SCTPErrorCause.first(in: chunk)))
            return false
        case .shutdown: shutdownReceived(chunk, at: now)
        case .shutdownAck: shutdownAckReceived(at: now)
        case .shutdownComplete:
            if state == .shutdownAckSent { finish(.shutDown) } else { counters.ignored &+= 1 }
        case .padding, .cookieEcho: break
        // In company of others it is none (RFC 9260 §3.1).
        case .initiation: return false
        default:
            if chunk.type.isReportable { report(chunk, at: now) }
            return chunk.type.isSkippable
        }
        return state != .closed
    }

    /// An unknown chunk, in part, for whoever wants to know (RFC 9260 §3.3.10.6).
    private mutating func report(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard let peer, answerQuota.take(at: now) else { return }
        let value = unsafe Array(chunk.value.prefix(SCTPInitiation.longestReport))
        reply(tag: peer.tag) { (writer) throws(WireError) in
            try writer.beginChunk(.error)
            let start = try writer.beginParameter(SCTPErrorCause.unrecognizedChunk)
            try writer.writeUInt8(chunk.type.rawValue)
            try writer.writeUInt8(chunk.flags)
            try writer.writeUInt16(UInt16(clamping: value.count + SCTPChunkView.headerLength))
            try writer.writeBytes(value)
            try writer.endParameter(start)
            try writer.endChunk()
        }
    }

    // MARK: Data

    private mutating func dataReceived(_ chunk: SCTPChunkView, at now: MediaInstant) -> Bool {
        guard state.receivesData, let peer else {
            counters.ignored &+= 1
            return true
        }
        var payload = unsafe chunk.value
        guard let header = try? unsafe SCTPDataHeader(parsing: chunk, payload: &payload) else {
            counters.malformed &+= 1
            return true
        }
        guard header.isInterleaved == peer.capabilities.contains(.interleaving) else {
            abort(.protocolViolation, cause: SCTPErrorCause.protocolViolation, at: now)
            return false
        }
        guard unsafe !payload.isEmpty else {
            abort(.protocolViolation, cause: SCTPErrorCause.noUserData, at: now)
            return false
        }
        guard header.stream < peer.incomingStreams else {
            invalidStreamReceived(header, at: now)
            return true
        }
        let isDeferred = resets.deferred?.concerns(header.stream, header.tsn) ?? false
        switch unsafe receiver.dataReceived(header, payload, isDeferred: isDeferred, events: &events) {
        case .taken: break
        case .duplicate: counters.duplicates &+= 1
        case .dropped: counters.dropped &+= 1
        case .violation: counters.ignored &+= 1
        case .exhausted:
            abort(.outOfResource, cause: SCTPErrorCause.outOfResource, at: now)
            return false
        }
        return true
    }

    /// It is acknowledged and thrown away (RFC 9260 §6.5).
    private mutating func invalidStreamReceived(_ header: SCTPDataHeader, at now: MediaInstant) {
        if !receiver.discard(header.tsn) { counters.dropped &+= 1 }
        guard let peer, answerQuota.take(at: now) else { return }
        reply(tag: peer.tag) { (writer) throws(WireError) in
            try writer.beginChunk(.error)
            let start = try writer.beginParameter(SCTPErrorCause.invalidStream)
            try writer.writeUInt16(header.stream)
            try writer.writeUInt16(0)
            try writer.endParameter(start)
            try writer.endChunk()
        }
    }

    private mutating func forwardReceived(_ chunk: SCTPChunkView, at now: MediaInstant) -> Bool {
        guard state.receivesData, let peer else {
            counters.ignored &+= 1
            return true
        }
        guard let forward = try? SCTPForwardTSN(parsing: chunk) else {
            counters.malformed &+= 1
            return true
        }
        let isExpected = forward.isInterleaved == peer.capabilities.contains(.interleaving)
        guard isExpected, peer.capabilities.contains(.partialReliability) else {
            abort(.protocolViolation, cause: SCTPErrorCause.protocolViolation, at: now)
            return false
        }
        if !receiver.forwardReceived(forward, events: &events) { counters.dropped &+= 1 }
        return true
    }

    private mutating func selectiveAckReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard state.isSynchronized, let ack = try? SCTPSelectiveAck(parsing: chunk) else {
            counters.ignored &+= 1
            return
        }
        if sender.ackReceived(ack, at: now) == .ignored { counters.ignored &+= 1 }
    }

    private mutating func packetEnded(at now: MediaInstant) {
        guard state.isSynchronized else { return }
        performDeferredReset()
        receiver.packetEnded(timeout: sender.timeout.duration(atMost: settings.longestBackOff), at: now)
        receiver.windowOpened(chunk: settings.maximumChunk)
        // While shutting down, every packet with data is answered by SHUTDOWN, too (RFC 9260 §9.2).
        if state == .shutdownSent, receiver.hasAck {
            receiver.acknowledgeNow()
            repetition?.isDue = true
        }
        progress(at: now)
    }

    // MARK: Heartbeats

    private mutating func heartbeatReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard let peer, state.isSynchronized else { return }
        guard answerQuota.take(at: now) else {
            counters.overQuota &+= 1
            return
        }
        // What does not fit into a packet of ours is not answered.
        let value = unsafe Array(chunk.value)
        reply(tag: peer.tag) { (writer) throws(WireError) in try writer.append(.heartbeatAck, value: value) }
    }

    private mutating func heartbeatAckReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        var parameters = unsafe SCTPParameterIterator(chunk.value)
        guard let parameter = (try? parameters.next()) ?? nil, parameter.type == SCTPParameterType.heartbeatInfo,
            let sent = heartbeat
        else { return }
        var reader = unsafe ByteReader(parameter.value)
        guard (try? reader.readUInt64()) == sent.nonce else { return }
        heartbeat = nil
        sender.timeout.measured(now - sent.sentAt)
        sender.errors = 0
        scheduleHeartbeat(at: now)
    }

    // MARK: Shutdown

    private mutating func shutdownReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        var reader = unsafe ByteReader(chunk.value)
        guard state.isSynchronized, let number = try? reader.readUInt32() else {
            counters.ignored &+= 1
            return
        }
        _ = sender.cumulativeReceived(TSN(number), at: now)
        switch state {
        case .established, .shutdownPending: state = .shutdownReceived
        case .shutdownSent: acknowledgeShutdown(at: now)
        case .shutdownAckSent: repetition?.isDue = true
        default: break
        }
    }

    private mutating func shutdownAckReceived(at now: MediaInstant) {
        guard state == .shutdownSent || state == .shutdownAckSent, let peer else {
            counters.ignored &+= 1
            return
        }
        reply(tag: peer.tag) { (writer) throws(WireError) in try writer.append(.shutdownComplete) }
        finish(.shutDown)
    }

    private mutating func acknowledgeShutdown(at now: MediaInstant) {
        state = .shutdownAckSent
        repetition = Repetition(isDue: true, deadline: now + handshakeTimeout(0), count: 0)
    }

    /// Goes on with the end when everything has arrived (RFC 9260 §9.2).
    mutating func progress(at now: MediaInstant) {
        switch state {
        case .shutdownPending where sender.isDrained:
            state = .shutdownSent
            repetition = Repetition(isDue: true, deadline: now + handshakeTimeout(0), count: 0)
        case .shutdownReceived where sender.isDrained: acknowledgeShutdown(at: now)
        default: break
        }
    }
}
