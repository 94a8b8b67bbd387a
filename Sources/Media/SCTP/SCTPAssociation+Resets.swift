extension SCTPAssociation {
    /// Streams in one request; the list of all of them is no list.
    private static let longestList = 256

    // MARK: Ours

    /// Resets our streams: what of their messages has not begun to be sent is dropped, and later ones begin at 0. Each wish
    /// is answered by one event.
    /// - Returns: `false` if the peer cannot, or there is no association.
    mutating func resetStreams(_ streams: [UInt16], at now: MediaInstant) -> Bool {
        guard state == .established, let peer, peer.capabilities.contains(.reconfiguration) else { return false }
        for stream in streams where stream < peer.outgoingStreams && !resets.wanted.contains(stream) {
            sender.queue.removeUnstarted(on: stream, &sender.messages)
            sender.queue.pause(stream)
            resets.wanted.append(stream)
        }
        return true
    }

    /// Asks the peer to take so many streams more (RFC 6525 §5.1.5).
    /// - Returns: `false` if it cannot, or there are not so many numbers.
    mutating func addOutgoingStreams(_ count: UInt16) -> Bool {
        guard state == .established, let peer, peer.capabilities.contains(.reconfiguration), count > 0,
            Int(peer.outgoingStreams) + Int(resets.wantedCount) + Int(count) <= 65_535
        else { return false }
        resets.wantedCount += count
        return true
    }

    /// Makes the next request, when the one before is answered.
    private mutating func prepareRequest() {
        guard resets.request == nil, state == .established else { return }
        if !resets.wanted.isEmpty {
            // A message that was sent in part is finished first.
            let ready = resets.wanted.filter { !sender.queue.hasStarted($0, sender.messages) }
            if !ready.isEmpty {
                let streams = Array(ready.prefix(Self.longestList))
                resets.wanted.removeAll { streams.contains($0) }
                resets.request = .reset(streams, lastAssigned: sender.outstanding.next.previous)
                resets.isDue = true
                return
            }
        }
        guard resets.wantedCount > 0 else { return }
        resets.request = .addStreams(resets.wantedCount)
        resets.wantedCount = 0
        resets.isDue = true
    }

    func writeRequestBody(_ request: SCTPStreamResets.Request) -> SCTPReconfiguration {
        switch request {
        case .reset(let streams, let lastAssigned):
            SCTPReconfiguration([
                .outgoingReset(
                    request: resets.nextNumber, response: resets.lastPeerNumber, lastAssigned: lastAssigned,
                    streams: streams)
            ])
        case .addStreams(let count):
            SCTPReconfiguration([.addOutgoingStreams(request: resets.nextNumber, count: count)])
        }
    }

    mutating func writeRequest(into writer: inout SCTPPacketWriter, at now: MediaInstant) throws(WireError) {
        prepareRequest()
        guard resets.isDue, let request = resets.request else { return }
        let start = writer.count
        do throws(WireError) {
            try writeRequestBody(request).write(into: &writer)
        } catch {
            // It comes in the next packet.
            writer.truncate(to: start)
            return
        }
        resets.isDue = false
        resets.deadline = now + sender.timeout.duration(atMost: settings.longestBackOff)
    }

    mutating func resetDeadlineReached(at now: MediaInstant) {
        guard let due = resets.deadline, due <= now else { return }
        resets.deadline = nil
        resets.isDue = true
        sender.timeout.ranOut()
        sender.errors = sender.errors == .max ? .max : sender.errors + 1
        countError(sender.errors, at: now)
    }

    private mutating func responseReceived(
        _ number: TSN, _ result: SCTPReconfiguration.Result, at now: MediaInstant
    ) {
        guard let request = resets.request, number == resets.nextNumber, !resets.isDue || resets.deadline == nil else {
            counters.ignored &+= 1
            return
        }
        if result == .inProgress {
            // The same again after a while, as it was (RFC 6525 §5.2.7).
            resets.isDue = false
            resets.deadline = now + sender.timeout.duration(atMost: settings.longestBackOff)
            return
        }
        sender.errors = 0
        resets.request = nil
        resets.isDue = false
        resets.deadline = nil
        resets.nextNumber = resets.nextNumber.next
        let isDone = result == .performed || result == .nothingToDo
        switch request {
        case .reset(let streams, _):
            for stream in streams {
                sender.queue.resume(stream, isReset: isDone)
                // It was used and closed again in the meantime.
                if resets.wanted.contains(stream) { sender.queue.pause(stream) }
            }
            events.append(isDone ? .outgoingStreamsReset(streams) : .outgoingResetRefused(streams))
        case .addStreams(let count):
            if isDone, let own = peer?.outgoingStreams {
                peer?.outgoingStreams = UInt16(clamping: Int(own) + Int(count))
            }
            events.append(.outgoingStreams(peer?.outgoingStreams ?? 0))
        }
    }

    // MARK: The peer's

    mutating func reconfigurationReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard state.isSynchronized, let peer, peer.capabilities.contains(.reconfiguration) else {
            counters.ignored &+= 1
            return
        }
        guard let content = try? SCTPReconfiguration(parsing: chunk) else {
            counters.malformed &+= 1
            return
        }
        for parameter in content.parameters {
            if case .response(let number, let result) = parameter {
                responseReceived(number, result, at: now)
            } else if resetQuota.take(at: now) {
                requestReceived(parameter)
            } else {
                counters.overQuota &+= 1
            }
        }
    }

    private mutating func requestReceived(_ parameter: SCTPReconfiguration.Parameter) {
        guard let number = parameter.requestNumber else { return }
        if number == resets.lastPeerNumber {
            // Asked again, since our answer was lost or was none yet.
            respond(number, resets.lastResult)
            return
        }
        guard number == resets.lastPeerNumber.next else {
            respond(number, .badSequenceNumber)
            return
        }
        let result = perform(parameter)
        resets.lastPeerNumber = number
        resets.lastResult = result
        respond(number, result)
    }

    private mutating func respond(_ number: TSN, _ result: SCTPReconfiguration.Result) {
        guard let peer else { return }
        reply(tag: peer.tag) { (writer) throws(WireError) in
            try SCTPReconfiguration([.response(request: number, result: result)]).write(into: &writer)
        }
    }

    private mutating func perform(_ parameter: SCTPReconfiguration.Parameter) -> SCTPReconfiguration.Result {
        switch parameter {
        case .outgoingReset(_, _, let lastAssigned, let streams):
            guard streams.allSatisfy({ $0 < incomingStreams }) else { return .wrongSSN }
            guard lastAssigned.distance(from: receiver.tsns.cumulative) <= SCTPReceivedTSNs.furthest else {
                return .denied
            }
            // One that waits is replaced by its repetition under a new number, as some peers send it.
            if let waiting = resets.deferred, waiting.streams != streams { return .requestInProgress }
            resets.deferred = SCTPStreamResets.Deferred(streams: streams, lastAssigned: lastAssigned)
            return performDeferredReset() ? .performed : .inProgress
        case .incomingReset(_, let streams):
            let own = streams.isEmpty ? sender.queue.streams.keys.sorted() : streams
            let used = own.filter { sender.queue.streams[$0] != nil && !resets.wanted.contains($0) }
            for stream in used {
                sender.queue.removeUnstarted(on: stream, &sender.messages)
                sender.queue.pause(stream)
                resets.wanted.append(stream)
            }
            return used.isEmpty ? .nothingToDo : .performed
        case .addOutgoingStreams(_, let count):
            guard let peer, Int(peer.incomingStreams) + Int(count) <= 65_535 else { return .denied }
            self.peer?.incomingStreams = peer.incomingStreams + count
            return .performed
        case .tsnReset, .addIncomingStreams, .response: return .denied
        }
    }

    /// Resets the peer's streams once everything that it sent before has arrived.
    /// - Returns: whether nothing waits any more.
    @discardableResult
    mutating func performDeferredReset() -> Bool {
        guard let waiting = resets.deferred else { return true }
        guard !waiting.lastAssigned.isNewer(than: receiver.tsns.cumulative) else { return false }
        resets.deferred = nil
        if resets.lastResult == .inProgress { resets.lastResult = .performed }
        receiver.reset(waiting.streams, events: &events)
        return true
    }
}
