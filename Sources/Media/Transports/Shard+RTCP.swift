// Safe: a compound packet is read through `RTCPCompoundReader`, which checks lengths.
extension Shard {
    /// An SRTCP packet: decrypted in place, each of its packets taken by itself.
    mutating func rtcpReceived(
        _ datagram: UnsafeMutableRawBufferPointer, on transport: Slot<MediaTransport>,
        _ webRTC: Slot<WebRTCAssociation>, tuple: TupleID
    ) {
        let length: Int
        switch unsafe transports[transport].protection.openRTCP(datagram) {
        case .packet(let plain): length = plain
        case .dropped(let reason): return counters.add(reason)
        }
        if webRTCAssociations[webRTC].ice.feedbackReceived(on: tuple, at: now) { iceAdvanced(transport, webRTC) }
        unsafe openedRTCPReceived(UnsafeRawBufferPointer(rebasing: datagram[..<length]), on: transport)
    }

    /// A compound RTCP packet in the clear.
    mutating func openedRTCPReceived(
        _ compound: UnsafeRawBufferPointer, on transport: Slot<MediaTransport>
    ) {
        var reader = unsafe RTCPCompoundReader(compound)
        do throws(WireError) {
            while let packet = try reader.next() { try rtcpPacketReceived(packet, on: transport) }
        } catch {
            counters.add(.malformedRTCP)
        }
        rescheduleTimer(of: transport)
    }

    private mutating func rtcpPacketReceived(
        _ packet: RTCPPacketView, on transport: Slot<MediaTransport>
    ) throws(WireError) {
        switch packet.type {
        case .senderReport:
            let report = try SenderReport(parsing: packet)
            if let reference = transports[transport].streams.find(report.ssrc.rawValue), !reference.isRTX {
                senderReportReceived(report, of: reference.stream)
                traceFeedback(.sr, isIncoming: true, of: reference.stream)
            }
            for block in try SenderReport.reportBlocks(in: packet) { reportReceived(block, on: transport) }
        case .receiverReport:
            for block in try ReceiverReport(parsing: packet).reportBlocks { reportReceived(block, on: transport) }
        case .extendedReport: try extendedReportReceived(packet, on: transport)
        case .transportFeedback where packet.count == RTCPFeedbackFormat.genericNACK:
            try nackReceived(try GenericNACK(parsing: packet), on: transport)
        case .transportFeedback where packet.count == RTCPFeedbackFormat.transportWide:
            let feedback = try TransportWideFeedback(parsing: packet)
            var lost = 0
            for status in feedback.packets where status.arrival == nil { lost += 1 }
            transports[transport].history.lossSent.add(lost: lost, of: feedback.packetCount)
            feedbackReceived(feedback, on: transport)
        case .payloadFeedback where packet.count == RTCPFeedbackFormat.pictureLossIndication:
            let request = try PictureLossIndication(parsing: packet)
            if let consumer = transports[transport].consumersBySSRC.find(request.mediaSSRC.rawValue) {
                consumers[consumer].stream.sent.pliReceived()
                traceFeedback(.pli, from: consumer)
                consumerAskedForKeyFrame(consumer)
            }
        case .payloadFeedback where packet.count == RTCPFeedbackFormat.fullIntraRequest:
            for item in try FullIntraRequest(parsing: packet).items {
                guard let consumer = transports[transport].consumersBySSRC.find(item.ssrc.rawValue) else { continue }
                consumers[consumer].stream.sent.firReceived()
                traceFeedback(.fir, from: consumer)
                consumerAskedForKeyFrame(consumer)
            }
        case .sourceDescription:
            // Our reports tell the CNAME of signaling: what a client says here changes nothing.
            var description = try SourceDescription(parsing: packet)
            while try description.next() != nil {}
        case .goodbye:
            // Which streams there are is signaling's to say: a source that takes its leave and goes on is not stopped.
            _ = try Goodbye(parsing: packet)
            counters.add(.goodbyesReceived)
        case .payloadFeedback
        where packet.count == RTCPFeedbackFormat.applicationLayer && transports[transport].bandwidth != nil:
            do throws(WireError) {
                let estimate = try ReceiverEstimatedMaximumBitrate(parsing: packet)
                estimateReceived(estimate.bitrate, on: transport)
            } catch {
                // Another application's feedback has this format, too.
                guard error == .unexpectedType else { throw error }
                try unusedFeedbackReceived(packet)
            }
        case .transportFeedback, .payloadFeedback: try unusedFeedbackReceived(packet)
        default: counters.add(.unsupportedRTCP)
        }
    }

    private func unusedFeedbackReceived(_ packet: RTCPPacketView) throws(WireError) {
        do throws(WireError) { try UnusedFeedback.check(packet) } catch {
            guard error == .unexpectedType else { throw error }
        }
        counters.add(.unsupportedRTCP)
    }

    private mutating func senderReportReceived(
        _ report: SenderReport, of stream: Slot<IncomingStream>
    ) {
        // From a sender without a wall clock (RFC 3550 §6.4.1).
        guard report.ntp.rawValue != 0 else { return }
        let transport = producers[streams[stream].producer].transport
        if transports[transport].reports.isAsleep { wakeReports(of: transport) }
        let takenAt = transports[transport].history.senderClocks.reportReceived(
            ntp: report.ntp.rawValue, of: producers[streams[stream].producer].settings.cname,
            among: Set(transports[transport].producers.map { producers[$0].settings.cname }), at: now)
        streams[stream].received.senderReportReceived(
            ntp: report.ntp.rawValue, rtpTimestamp: report.rtpTimestamp.rawValue, takenAt: takenAt, at: now)
        encodingAdvanced(stream)
    }

    private mutating func reportReceived(_ block: ReportBlock, on transport: Slot<MediaTransport>) {
        // Reports on RTX streams say nothing that the media stream's does not.
        guard let consumer = transports[transport].consumersBySSRC.find(block.ssrc.rawValue),
            consumers[consumer].stream.ssrc == block.ssrc.rawValue
        else { return }
        let report = ReceptionReport(
            fractionLost: block.fractionLost, cumulativeLost: block.cumulativeLost,
            extendedHighestSequence: block.highestSequence, jitter: block.jitter,
            lastSenderReport: block.lastSenderReport, delaySinceLastSenderReport: block.delaySinceLastSenderReport)
        if consumers[consumer].stream.sent.receiverReportReceived(report, compactNTP: wallClock.compact) {
            consumerScoreChanged(consumer)
        }
        observe(block, of: consumer)
        if report.fractionLost > 0 { consumerLost(consumer) }
        if let bandwidth = transports[transport].bandwidth {
            bandwidths[bandwidth].reportReceived(
                fractionLost: report.fractionLost, roundTripTime: consumers[consumer].stream.sent.roundTripTime,
                at: now)
        }
        consumerLossReported(consumer, fraction: report.fractionLost)
    }

    /// What a receiver's report says of its connection, for the operator's histograms.
    private func observe(_ block: ReportBlock, of consumer: Slot<ShardConsumer>) {
        let kind = consumers[consumer].stream.kind
        if block.lastSenderReport != 0, let roundTrip = consumers[consumer].stream.sent.roundTripTime {
            counters.observe(.roundTrip, kind, UInt64(clamping: roundTrip.nanoseconds / 1000))
        }
        counters.observe(.loss, kind, UInt64(block.fractionLost) * 1_000_000 / 256)
        let clock = UInt64(max(consumers[consumer].stream.clockRate, 1))
        counters.observe(.jitter, kind, UInt64(block.jitter) * 1_000_000 / clock)
    }

    private func extendedReportReceived(
        _ packet: RTCPPacketView, on transport: Slot<MediaTransport>
    ) throws(WireError) {
        var report = try ExtendedReport(parsing: packet)
        while let block = try report.next() {
            switch block {
            case .receiverReferenceTime(let time):
                transports[transport].receiverReference = (time.compact, report.ssrc.rawValue, now)
            case .delaySinceLastReceiverReport(let items):
                for item in items where item.ssrc.rawValue == transports[transport].feedbackSSRC {
                    guard
                        let time = RoundTripTime.measured(
                            now: wallClock.compact, lastReport: item.lastReceiverReport, delay: item.delay)
                    else { continue }
                    // One round trip for the transport: every stream's repair is paced by it.
                    for producer in transports[transport].producers {
                        for case .some(let stream) in producers[producer].streams {
                            streams[stream].received.roundTripTime = time
                            streams[stream].nacks.roundTripTime = time
                        }
                    }
                }
            case .other: break
            }
        }
    }

    private mutating func nackReceived(
        _ nack: GenericNACK, on transport: Slot<MediaTransport>
    ) throws(WireError) {
        counters.add(.nacksReceived)
        guard let consumer = transports[transport].consumersBySSRC.find(nack.mediaSSRC.rawValue),
            consumers[consumer].stream.ssrc == nack.mediaSSRC.rawValue, consumers[consumer].stream.canRetransmit
        else { return }
        var count = 0
        for number in nack.lost {
            count += 1
            resend(number.rawValue, to: consumer)
        }
        consumers[consumer].stream.sent.nackReceived(packets: count)
        consumerLost(consumer)
        traceFeedback(.nack, from: consumer)
    }
}
