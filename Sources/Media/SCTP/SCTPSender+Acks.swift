extension SCTPSender {
    /// What an acknowledgement shows.
    enum AckResult {
        /// Older than what is known, or of data that was never sent: ignored.
        case ignored
        case taken
    }

    /// Acknowledgements of something newer after which a chunk counts as lost (RFC 9260 §7.2.4).
    private static let missesUntilLoss: UInt8 = 3

    /// SACK (RFC 9260 §6.2.1).
    mutating func ackReceived(_ ack: SCTPSelectiveAck, at now: MediaInstant) -> AckResult {
        let blocks = ack.cleanedBlocks
        let advance = ack.cumulative.distance(from: cumulative)
        guard advance >= 0, advance <= outstanding.count else { return .ignored }
        if let last = blocks.last, advance + Int(last.end) > outstanding.count { return .ignored }
        let flightBefore = outstanding.flight
        var acked = removeAcked(advance, samples: blocks.isEmpty, at: now)
        cumulative = ack.cumulative
        let inOrder = acked
        let new = blocks.isEmpty && outstanding.ackedCount == 0 ? nil : gapsReceived(blocks, acked: &acked)
        peerWindow = max(Int(ack.window) - outstanding.flightPayload, 0)
        congestion.acknowledged(acked, flight: flightBefore, cumulative: cumulative, advances: advance > 0)
        if acked > 0 || advance > 0 {
            errors = 0
            if advance > 0 { timeout.answered() }
        }
        let isRecovering = congestion.recoveryEnd != nil
        let end = isRecovering && advance > 0 ? blocks.last.map { Int($0.end) - 1 } ?? -1 : new?.upperBound ?? -1
        countMisses(below: end, bytes: acked - inOrder, of: new, at: now)
        if advance > 0 { restartTimer(at: now) }
        if outstanding.isEmpty {
            deadline = nil
            congestion.drained()
        }
        self.advance(at: now)
        repeatForward(at: now)
        renewBurst(acked: acked, at: now)
        return .taken
    }

    /// Everything up to here has arrived, says SHUTDOWN.
    mutating func cumulativeReceived(_ tsn: TSN, at now: MediaInstant) -> AckResult {
        // It says nothing of the window: what was known of it still holds.
        ackReceived(
            SCTPSelectiveAck(cumulative: tsn, window: UInt32(clamping: peerWindow + outstanding.flightPayload)), at: now
        )
    }

    /// Lets go of so many chunks that have arrived in order.
    /// - Parameter samples: whether the newest of them measures the round trip.
    /// - Returns: bytes that are acknowledged for the first time.
    private mutating func removeAcked(_ count: Int, samples: Bool, at now: MediaInstant) -> Int {
        var acked = 0
        var sample: MediaDuration?
        var isAmbiguous = false
        let header = isInterleaved ? SCTPDataHeader.interleavedLength : SCTPDataHeader.length
        for _ in 0..<count {
            let chunk = outstanding.removeFirst()
            if chunk.state == .inFlight || chunk.state == .lost {
                acked += chunk.wireLength(header)
                // Karn's rule (RFC 9260 §6.3.1 C5). What was given up for lost, or waited for what was, measures nothing.
                if chunk.transmissions > 1 || chunk.state == .lost { isAmbiguous = true }
                sample = now - chunk.sentAt
            }
            messages.release(chunk.message)
        }
        if samples, !isAmbiguous, let sample { timeout.measured(sample) }
        return acked
    }

    /// Marks what has arrived behind gaps, and what a peer says has not arrived after all (RFC 9260 §6.2.1).
    /// - Returns: the places of the oldest and the newest chunk that is acknowledged for the first time.
    private mutating func gapsReceived(_ blocks: [SCTPSelectiveAck.Block], acked: inout Int) -> ClosedRange<Int>? {
        let header = isInterleaved ? SCTPDataHeader.interleavedLength : SCTPDataHeader.length
        var offset = 0
        var new: ClosedRange<Int>?
        for block in blocks {
            renege(offset..<Int(block.start) - 1)
            for place in Int(block.start) - 1..<Int(block.end) {
                let chunk = outstanding[place]
                guard chunk.state == .inFlight || chunk.state == .lost else { continue }
                acked += chunk.wireLength(header)
                outstanding.mark(place, .acked)
                new = (new?.lowerBound ?? place)...place
            }
            offset = Int(block.end)
        }
        renege(offset..<outstanding.count)
        return new
    }

    private mutating func renege(_ range: Range<Int>) {
        guard outstanding.ackedCount > 0 else { return }
        for place in range where outstanding[place].state == .acked {
            outstanding.mark(place, messages[outstanding[place].message].isAbandoned ? .abandoned : .inFlight)
        }
    }

    /// Notes for what is missing below `end` that something newer has arrived.
    /// - Parameters:
    ///   - bytes: how much has arrived behind gaps, at the places `new`. A peer that acknowledges many packets at once says
    ///     as much as one that acknowledges each: three packets behind a chunk are three misses (RFC 6675 §4, `IsLost`).
    private mutating func countMisses(below end: Int, bytes: Int, of new: ClosedRange<Int>?, at now: MediaInstant) {
        guard end > 0 else { return }
        var hasLoss = false
        let highest = outstanding.next.previous
        let packets = UInt8(min(max(bytes / settings.maximumChunk, 1), Int(Self.missesUntilLoss)))
        var place = 0
        while place < min(end, outstanding.count) {
            let chunk = outstanding[place]
            if chunk.state == .inFlight, !chunk.wasFastRetransmitted {
                let count = place < new?.lowerBound ?? 0 ? packets : 1
                if outstanding.miss(place, count) >= Self.missesUntilLoss {
                    outstanding.setFastRetransmitted(place, true)
                    lose(place, at: now)
                    hasLoss = true
                }
            }
            place += 1
        }
        if hasLoss, congestion.lossFound(highest: highest) { hasFastRetransmission = true }
    }
}
