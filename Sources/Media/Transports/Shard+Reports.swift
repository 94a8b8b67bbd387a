// Safe: a compound packet is written through a `ByteWriter` into the batcher's memory, which has room after `ensureCapacity`.
extension Shard {
    /// Most bytes of a compound RTCP packet in the clear, as mediasoup limits it: 1500 less IP, UDP and SRTCP.
    static let largestCompound = 1292

    /// Builds, seals and queues one RTCP packet or compound.
    /// - Returns: whether it was sent.
    @discardableResult
    mutating func sendRTCP(
        on transport: Slot<MediaTransport>,
        _ build: (inout ByteWriter) throws(WireError) -> Void
    ) -> Bool {
        guard sendsRTCP(transport) else { return false }
        ensureCapacity()
        let out = unsafe arena.next
        var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(start: out, count: Self.largestCompound))
        do throws(WireError) { try build(&writer) } catch { return false }
        guard writer.count > 0 else { return false }
        let length = unsafe transports[transport].protection.sealRTCP(out, count: writer.count)
        guard length > 0 else { return false }
        commitRTCP(length: length, to: transport)
        return true
    }

    /// Everything a transport has to do by now.
    mutating func deadlineReached(_ transport: Slot<MediaTransport>) {
        associationDeadlineReached(transport)
        if transports[transport].sendsTransportFeedback { sendTransportFeedback(transport) }
        bandwidthDeadlineReached(on: transport)
        incomingDeadlineReached(on: transport)
        receptionDeadlineReached(on: transport)
        for producer in transports[transport].producers {
            for case .some(let stream) in producers[producer].streams { streamDeadlineReached(stream) }
        }
        // Nothing is drawn but when it is used: so a restored shard draws the same.
        if sendsRTCP(transport), let due = transports[transport].reports.nextDeadline, due <= now,
            transports[transport].reports.isDue(at: now, random: UInt32(truncatingIfNeeded: random.next()))
        {
            sendReports(transport)
            transports[transport].reports.reported(transports[transport].traffic.rtp, at: now)
        }
        rescheduleTimer(of: transport)
    }

    private mutating func streamDeadlineReached(_ stream: Slot<IncomingStream>) {
        apply(streams[stream].deadlineReached(at: now), of: stream)
        sendNACKs(stream)
    }

    private mutating func sendNACKs(_ stream: Slot<IncomingStream>) {
        guard let deadline = streams[stream].nacks.nextDeadline, deadline <= now else { return }
        let transport = producers[streams[stream].producer].transport
        // A few hundred scattered numbers fill a packet; the rest goes into the next.
        let part = unsafe UnsafeMutableBufferPointer(rebasing: nackNumbers[..<256])
        while true {
            let count = unsafe streams[stream].nacks.pollRequest(at: now, into: part)
            guard count > 0 else { return }
            let lost = unsafe part[..<count].map { SequenceNumber($0) }
            let ssrc = streams[stream].received.ssrc
            let sender = SSRC(transports[transport].feedbackSSRC)
            sendRTCP(on: transport) { (writer) throws(WireError) in
                try GenericNACK.write(senderSSRC: sender, mediaSSRC: ssrc, lost: lost, into: &writer)
            }
            streams[stream].received.nackSent(packets: count)
            traceFeedback(.nack, isIncoming: false, of: stream)
            counters.add(.nacksSent)
        }
    }

    private mutating func sendTransportFeedback(_ transport: Slot<MediaTransport>) {
        unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: TransportWideRecorder.maxStatuses) { statuses in
            var (isGiven, isLosing) = (false, false)
            while let feedback = unsafe transports[transport].recorder.pollFeedback(at: now, into: statuses) {
                let missing = unsafe statuses[..<feedback.statusCount].count { $0 == TransportWideRecorder.notReceived }
                transports[transport].history.lossReceived.add(lost: missing, of: feedback.statusCount)
                (isGiven, isLosing) = (true, isLosing || missing > 0)
                let arrivals = unsafe statuses[..<feedback.statusCount].map { status -> TransportWideArrival in
                    status == TransportWideRecorder.notReceived
                        ? .notReceived : .received(delta: Int16(truncatingIfNeeded: status))
                }
                let sender = SSRC(transports[transport].feedbackSSRC)
                let media = feedbackMediaSSRC(of: transport)
                let sent = sendRTCP(on: transport) { (writer) throws(WireError) in
                    try TransportWideFeedback.write(
                        senderSSRC: sender, mediaSSRC: media, baseSequence: SequenceNumber(feedback.baseSequence),
                        referenceTime: Int32(bitPattern: feedback.referenceTime),
                        feedbackCount: feedback.feedbackCount, arrivals: arrivals, into: &writer)
                }
                if sent { counters.add(.transportFeedbackSent) }
            }
            guard isGiven else { return }
            let received = transports[transport].traffic.rtpReceived &+ transports[transport].traffic.rtxReceived
            transports[transport].history.pace.feedbackGiven(received: received, isLosing: isLosing, at: now)
            transports[transport].recorder.setInterval(transports[transport].history.pace.interval, at: now)
        }
    }

    // MARK: Sender and receiver reports

    /// RTP, or a sender's report, goes over a transport that had fallen silent.
    @inline(never)
    mutating func wakeReports(of transport: Slot<MediaTransport>) {
        transports[transport].reports.wake(at: now)
        transports[transport].history.traffic.restart(transports[transport].traffic, at: now)
        rescheduleTimer(of: transport)
    }

    /// Regenerated reports (never forwarded ones): a sender report with CNAME for each consumer, report blocks for each
    /// received stream, and the time references that let both sides measure round trips (RFC 3550 §6.4, RFC 3611 §4.4).
    private mutating func sendReports(_ transport: Slot<MediaTransport>) {
        transports[transport].history.traffic.sample(transports[transport].traffic, at: now)
        sendSenderReports(transport)
        var blocks: [ReportBlock] = []
        for producer in transports[transport].producers {
            // Only of those that were heard since the last report (RFC 3550 §6.4.2).
            for case .some(let stream) in producers[producer].streams
            where streams[stream].received.wasHeard(since: streams[stream].throttle.lastReport)
                && streams[stream].throttle.mayReport(at: now)
            {
                if var report = streams[stream].received.makeReport(at: now) {
                    updateScore(stream)
                    let (kind, clock) = (streams[stream].kind, UInt64(max(streams[stream].received.clockRate, 1)))
                    counters.observe(.uplinkLoss, kind, UInt64(report.fractionLost) * 1_000_000 / 256)
                    counters.observe(.uplinkJitter, kind, UInt64(report.jitter) * 1_000_000 / clock)
                    if producers[producer].usesInBandFEC {
                        report.fractionLost = producers[producer].consumerLoss.fractionLost(own: report.fractionLost)
                        producers[producer].consumerLoss.reported()
                    }
                    blocks.append(ReportBlock(report, about: streams[stream].received.ssrc))
                }
                if let rtxSSRC = streams[stream].received.rtxSSRC, let report = streams[stream].received.makeRTXReport()
                {
                    blocks.append(ReportBlock(report, about: rtxSSRC))
                }
            }
        }
        let sender = SSRC(transports[transport].feedbackSSRC)
        let time = wallClock
        // 31 blocks fit a packet's count field; fewer leave room for the extended report.
        var first = 0
        while first < blocks.count {
            let part = Array(blocks[first..<min(first + 24, blocks.count)])
            let sent = sendRTCP(on: transport) { (writer) throws(WireError) in
                try ReceiverReport.write(ssrc: sender, reportBlocks: part, into: &writer)
                try ExtendedReport.write(ssrc: sender, receiverReferenceTime: time, into: &writer)
            }
            if sent { counters.add(.reportsSent) }
            first += part.count
        }
    }

    /// As many consumers' reports in one compound as fit: a viewer of a large room has hundreds of consumers.
    private mutating func sendSenderReports(_ transport: Slot<MediaTransport>) {
        // The shard's own array, taken for as long: every transport reports every second, and none allocates.
        var due: [DueSenderReport] = []
        swap(&due, &dueSenderReports)
        defer {
            due.removeAll(keepingCapacity: true)
            swap(&due, &dueSenderReports)
        }
        for consumer in transports[transport].consumers {
            guard
                let values = consumers[consumer].stream.makeSenderReport(
                    of: feeds[consumers[consumer].feed], at: now, ntp: wallClock.rawValue),
                consumers[consumer].throttle.mayReport(at: now)
            else { continue }
            due.append(
                DueSenderReport(
                    report: SenderReport(
                        ssrc: SSRC(consumers[consumer].stream.ssrc), ntp: NTPTimestamp(rawValue: values.ntp),
                        rtpTimestamp: RTPTimestamp(values.rtpTimestamp), packetCount: values.packetCount,
                        octetCount: values.octetCount),
                    cname: consumers[consumer].cname))
        }
        var references: [DLRRItem] = []
        if let reference = transports[transport].receiverReference {
            references.append(
                DLRRItem(
                    ssrc: SSRC(reference.ssrc), lastReceiverReport: reference.compactNTP,
                    delay: NTPTimestamp.compactDuration(nanoseconds: (now - reference.arrival).nanoseconds)))
        }
        var next = 0
        while next < due.count {
            let first = next
            let sent = sendRTCP(on: transport) { (writer) throws(WireError) in
                while next < due.count {
                    do throws(WireError) {
                        try writer.writeWhole { (writer) throws(WireError) in
                            let (report, cname) = (due[next].report, due[next].cname)
                            try report.write(into: &writer)
                            try SourceDescription.write(ssrc: report.ssrc, cname: cname, into: &writer)
                            guard !references.isEmpty else { return }
                            try ExtendedReport.write(ssrc: report.ssrc, dlrr: references, into: &writer)
                        }
                    } catch {
                        // The rest goes into another compound; a report that fits none is left out.
                        if next == first { next += 1 }
                        return
                    }
                    next += 1
                }
            }
            if sent { counters.add(.reportsSent) }
        }
    }
}

extension ReportBlock {
    fileprivate init(_ report: ReceptionReport, about ssrc: SSRC) {
        self.init(
            ssrc: ssrc, fractionLost: report.fractionLost, cumulativeLost: report.cumulativeLost,
            highestSequence: report.extendedHighestSequence, jitter: report.jitter,
            lastSenderReport: report.lastSenderReport, delaySinceLastSenderReport: report.delaySinceLastSenderReport)
    }
}
