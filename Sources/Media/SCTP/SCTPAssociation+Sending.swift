extension SCTPAssociation {
    /// Gap blocks and duplicates in one acknowledgement.
    private static let longestAck = 100

    /// Writes the next packet.
    /// - Parameter buffer: of at least the length in the settings.
    /// - Returns: its length; `nil` when there is none.
    mutating func pollTransmit(into buffer: UnsafeMutableRawBufferPointer, at now: MediaInstant) -> Int? {
        while let count = unsafe replies.removeFirst(into: buffer) { if count > 0 { return count } }
        guard
            let writer = try? unsafe SCTPPacketWriter(
                buffer, limit: settings.maximumPacket, from: settings.localPort, to: settings.remotePort,
                tag: state == .cookieWait ? 0 : peer?.tag ?? 0)
        else { return nil }
        return try? write(writer, at: now)
    }

    private mutating func write(
        _ empty: consuming SCTPPacketWriter, at now: MediaInstant
    ) throws(WireError) -> Int? {
        var writer = empty
        switch state {
        case .closed: return nil
        case .cookieWait, .cookieEchoed:
            guard repetition?.isDue == true else { return nil }
            repetition?.isDue = false
            if state == .cookieWait {
                try writeInitiation(into: &writer)
            } else {
                try writer.append(.cookieEcho, value: cookie)
            }
            return try writer.finish()
        default: break
        }
        try writeControl(into: &writer, at: now)
        var low: [UInt16] = []
        let isControl = !writer.isEmpty
        let hasData = try writeAckAndData(into: &writer, low: &low, at: now)
        for stream in low { events.append(.bufferedAmountLow(stream: stream)) }
        guard isControl || hasData || !writer.isEmpty else { return nil }
        if hasData { scheduleHeartbeat(at: now) }
        // RFC 9653 §5.2.
        let isBare = peer?.capabilities.contains(.zeroChecksum) ?? false
        return try writer.finish(withoutChecksum: isBare)
    }

    private mutating func writeControl(into writer: inout SCTPPacketWriter, at now: MediaInstant) throws(WireError) {
        if repetition?.isDue == true {
            repetition?.isDue = false
            if state == .shutdownSent {
                try writer.beginChunk(.shutdown)
                try writer.writeUInt32(receiver.tsns.cumulative.rawValue)
                try writer.endChunk()
            } else if state == .shutdownAckSent {
                try writer.append(.shutdownAck)
            }
        }
        if heartbeatIsDue(at: now) { try writeHeartbeat(into: &writer, at: now) }
        if let forward = sender.takeForward(atMost: writer.remaining, at: now) { try forward.write(into: &writer) }
        try writeRequest(into: &writer, at: now)
    }

    /// - Returns: whether data is in it.
    private mutating func writeAckAndData(
        into writer: inout SCTPPacketWriter, low: inout [UInt16], at now: MediaInstant
    ) throws(WireError) -> Bool {
        let start = writer.count
        let mayHaveData = state.sendsData && (sender.outstanding.lostCount > 0 || !sender.queue.isEmpty)
        let hasAck = receiver.isAckDue || receiver.hasAck && mayHaveData
        let room = (writer.remaining - SCTPSelectiveAck.fixedLength) / 4
        if hasAck, room >= 0 {
            let ack = receiver.acknowledgement(atMost: min(room, Self.longestAck))
            try ack.write(into: &writer)
        }
        var hasData = mayHaveData ? try sender.writeData(into: &writer, low: &low, at: now) : false
        if hasData || receiver.isAckDue {
            if writer.count > start, hasAck { receiver.ackSent() }
        } else if hasAck {
            // An acknowledgement that may still wait is no reason for a packet, and must not keep a long chunk out of one.
            writer.truncate(to: start)
            hasData = try sender.writeData(into: &writer, low: &low, at: now)
        }
        return hasData
    }

    // MARK: Heartbeats

    mutating func scheduleHeartbeat(at now: MediaInstant) {
        guard heartbeat == nil else { return }
        nextHeartbeat = now + settings.heartbeatInterval + sender.timeout.duration(atMost: settings.longestBackOff)
    }

    private func heartbeatIsDue(at now: MediaInstant) -> Bool {
        guard let due = nextHeartbeat else { return false }
        return due <= now && heartbeat == nil && state == .established
    }

    private mutating func writeHeartbeat(
        into writer: inout SCTPPacketWriter, at now: MediaInstant
    ) throws(WireError) {
        let nonce = UInt64(draw()) << 32 | UInt64(draw())
        try writer.beginChunk(.heartbeat)
        let start = try writer.beginParameter(SCTPParameterType.heartbeatInfo)
        try writer.writeUInt64(nonce)
        try writer.endParameter(start)
        try writer.endChunk()
        heartbeat = Heartbeat(
            nonce: nonce, sentAt: now, deadline: now + sender.timeout.duration(atMost: settings.longestBackOff))
        nextHeartbeat = nil
    }

    // MARK: Time

    /// When `deadlineReached(_:)` is due.
    var nextDeadline: MediaInstant? {
        var next = repetition?.deadline
        guard state.isSynchronized else { return next }
        next = earliest(next, sender.nextDeadline)
        next = earliest(next, receiver.deadline)
        next = earliest(next, resets.deadline)
        return earliest(next, heartbeat?.deadline ?? (state == .established ? nextHeartbeat : nil))
    }

    /// Time has reached `nextDeadline`. A deadline that has passed is either met here or by the packets polled next.
    mutating func deadlineReached(_ now: MediaInstant) {
        if let due = repetition?.deadline, due <= now { repeatUnanswered(at: now) }
        guard state.isSynchronized else { return }
        receiver.deadlineReached(at: now)
        if sender.deadlineReached(at: now) { countError(sender.errors, at: now) }
        guard state.isSynchronized else { return }
        if let sent = heartbeat, sent.deadline <= now {
            heartbeat = nil
            sender.timeout.ranOut()
            sender.errors = sender.errors == .max ? .max : sender.errors + 1
            scheduleHeartbeat(at: now)
            countError(sender.errors, at: now)
        }
        resetDeadlineReached(at: now)
        progress(at: now)
    }

    private mutating func repeatUnanswered(at now: MediaInstant) {
        guard var again = repetition else { return }
        again.count = again.count == .max ? .max : again.count + 1
        again.isDue = true
        again.deadline = now + handshakeTimeout(again.count)
        // The end is not waited for long: the peer may have gone (RFC 9260 §9.2).
        let limit = state.isSynchronized ? 8 : settings.largestErrorCount ?? .max
        if again.count > limit {
            abort(.unanswered, cause: SCTPErrorCause.userAbort, at: now)
            return
        }
        // A cookie that is echoed in vain may have been too old: begin again after a while.
        if state == .cookieEchoed, again.count % 8 == 0 {
            state = .cookieWait
            peer = nil
            cookie = []
        }
        repetition = again
    }

    func isUnanswered(_ errors: UInt16) -> Bool { settings.largestErrorCount.map { errors > $0 } ?? false }

    mutating func countError(_ errors: UInt16, at now: MediaInstant) {
        if isUnanswered(errors) { abort(.unanswered, cause: SCTPErrorCause.userAbort, at: now) }
    }
}
