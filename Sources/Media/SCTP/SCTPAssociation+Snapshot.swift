extension SCTPAssociation: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let settings: SCTPSettings = try reader.read()
        let parts = try Parts(restoring: &reader, settings: settings)
        self.init(settings: settings, secret: parts.key)
        drawn = parts.drawn
        state = parts.state
        isOver = parts.isOver
        localTag = parts.localTag
        localInitialTSN = parts.localInitialTSN
        peer = parts.peer
        cookie = parts.cookie
        repetition = parts.repetition
        sender = parts.sender
        receiver = parts.receiver
        resets = parts.resets
        heartbeat = parts.heartbeat
        nextHeartbeat = parts.nextHeartbeat
        handshakeQuota = parts.handshakeQuota
        answerQuota = parts.answerQuota
        resetQuota = parts.resetQuota
        counters = parts.counters
    }

    /// What is read, before there is an association: one that cannot be copied is made whole or not at all.
    private struct Parts {
        let key: HMACSHA1Key
        let drawn: UInt64
        let state: SCTPState
        let isOver: Bool
        let localTag: UInt32
        let localInitialTSN: TSN
        let peer: Peer?
        let cookie: [UInt8]
        let repetition: Repetition?
        let sender: SCTPSender
        let receiver: SCTPReceiver
        let resets: SCTPStreamResets
        let heartbeat: Heartbeat?
        let nextHeartbeat: MediaInstant?
        let handshakeQuota: SCTPQuota
        let answerQuota: SCTPQuota
        let resetQuota: SCTPQuota
        let counters: SCTPCounters

        init(restoring reader: inout SnapshotReader, settings: SCTPSettings) throws(WireError) {
            key = try reader.read()
            drawn = try reader.readUInt64()
            state = try reader.read()
            isOver = try reader.read()
            localTag = try reader.readUInt32()
            localInitialTSN = try reader.read()
            peer = try reader.readOptional()
            cookie = try reader.readCounted()
            repetition = try reader.readOptional()
            sender = try reader.read()
            receiver = try reader.read()
            resets = try reader.read()
            heartbeat = try reader.readOptional()
            nextHeartbeat = try reader.readOptional()
            handshakeQuota = try reader.read()
            answerQuota = try reader.read()
            resetQuota = try reader.read()
            counters = try reader.read()
            // Beside the first two states there is a peer, and what is agreed with it.
            guard sender.settings == settings, (peer != nil) == (state != .closed && state != .cookieWait) else {
                throw .malformed
            }
            let isInterleaved = state.isSynchronized && peer?.capabilities.contains(.interleaving) ?? false
            guard sender.isInterleaved == isInterleaved, receiver.reassembly.isInterleaved == isInterleaved else {
                throw .malformed
            }
        }
    }

    /// Events and answers are polled after each input, so that none is left to be written down.
    func write(to writer: inout SnapshotWriter) {
        writer.write(settings)
        writer.write(key)
        writer.writeUInt64(drawn)
        writer.write(state)
        writer.write(isOver)
        writer.writeUInt32(localTag)
        writer.write(localInitialTSN)
        writer.writeOptional(peer)
        writer.writeCounted(cookie)
        writer.writeOptional(repetition)
        writer.write(sender)
        writer.write(receiver)
        writer.write(resets)
        writer.writeOptional(heartbeat)
        writer.writeOptional(nextHeartbeat)
        writer.write(handshakeQuota)
        writer.write(answerQuota)
        writer.write(resetQuota)
        writer.write(counters)
    }
}

extension SCTPAssociation.Peer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        tag = try reader.readUInt32()
        initialTSN = try reader.read()
        window = try reader.readUInt32()
        capabilities = SCTPCapabilities(rawValue: try reader.readUInt8())
        outgoingStreams = try reader.readUInt16()
        incomingStreams = try reader.readUInt16()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(tag)
        writer.write(initialTSN)
        writer.writeUInt32(window)
        writer.writeUInt8(capabilities.rawValue)
        writer.writeUInt16(outgoingStreams)
        writer.writeUInt16(incomingStreams)
    }
}

extension SCTPAssociation.Repetition: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isDue = try reader.read()
        deadline = try reader.read()
        count = try reader.readUInt16()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isDue)
        writer.write(deadline)
        writer.writeUInt16(count)
    }
}

extension SCTPAssociation.Heartbeat: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        nonce = try reader.readUInt64()
        sentAt = try reader.read()
        deadline = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(nonce)
        writer.write(sentAt)
        writer.write(deadline)
    }
}
