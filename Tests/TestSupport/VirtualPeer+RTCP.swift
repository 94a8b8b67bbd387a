// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    extension VirtualPeer {
        /// Builds, seals and sends one compound RTCP packet.
        func sendRTCP(_ build: (inout ByteWriter) throws(WireError) -> Void) {
            guard sealer != nil, let start = scratch.baseAddress else { return }
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: scratch[..<1400]))
            do throws(WireError) { try build(&writer) } catch { return }
            let length = sealer!.sealRTCP(start, count: writer.count)
            send(UnsafeRawBufferPointer(rebasing: scratch[..<length]))
        }

        /// Sender reports of what we send, a receiver report of what we get, and both sides of XR round trips.
        func sendReports() {
            let time = wallClock
            for track in tracks {
                let without = track.silentEncodings.union(track.unreportedEncodings)
                for (index, stream) in track.encodings.enumerated()
                where stream.packetsSent > 0 && !without.contains(index) {
                    let passed = now - stream.lastTimestampAt + track.captureDelay
                    let report = SenderReport(
                        ssrc: stream.ssrc, ntp: hasWallClock ? time : NTPTimestamp(rawValue: 0),
                        rtpTimestamp: RTPTimestamp(stream.timestamp &+ passed.units(of: track.clockRate)),
                        packetCount: UInt32(truncatingIfNeeded: stream.packetsSent),
                        octetCount: UInt32(truncatingIfNeeded: stream.bytesSent))
                    sendRTCP { (writer) throws(WireError) in
                        try report.write(into: &writer)
                        try SourceDescription.write(ssrc: stream.ssrc, cname: track.cname, into: &writer)
                    }
                }
            }
            var blocks: [ReportBlock] = []
            for stream in subscriptions {
                guard let report = stream.receive.makeReport(at: now) else { continue }
                blocks.append(
                    ReportBlock(
                        ssrc: stream.ssrc, fractionLost: report.fractionLost, cumulativeLost: report.cumulativeLost,
                        highestSequence: report.extendedHighestSequence, jitter: report.jitter,
                        lastSenderReport: report.lastSenderReport,
                        delaySinceLastSenderReport: report.delaySinceLastSenderReport))
            }
            var first = 0
            repeat {
                let part = Array(blocks[first..<min(first + 24, blocks.count)])
                sendRTCP { (writer) throws(WireError) in
                    try ReceiverReport.write(ssrc: reportSSRC, reportBlocks: part, into: &writer)
                    var references: [DLRRItem] = []
                    if let reference = receiverReference {
                        references.append(
                            DLRRItem(
                                ssrc: reference.ssrc, lastReceiverReport: reference.compact,
                                delay: NTPTimestamp.compactDuration(nanoseconds: (now - reference.arrival).nanoseconds))
                        )
                    }
                    try ExtendedReport.write(
                        ssrc: reportSSRC, receiverReferenceTime: time, dlrr: references, into: &writer)
                }
                first += 24
            } while first < blocks.count
        }

        func rtcpReceived(_ bytes: UnsafeMutableRawBufferPointer) {
            guard opener != nil, let start = bytes.baseAddress else { return }
            guard case .opened(_, let length, _) = opener!.openRTCP(start, count: bytes.count) else {
                authenticationFailures += 1
                return
            }
            var reader = RTCPCompoundReader(UnsafeRawBufferPointer(start: start, count: length))
            do throws(WireError) {
                while let packet = try reader.next() { try packetReceived(packet) }
            } catch {
                malformed += 1
            }
        }

        private func packetReceived(_ packet: RTCPPacketView) throws(WireError) {
            switch packet.type {
            case .senderReport:
                let report = try SenderReport(parsing: packet)
                guard let stream = subscribedBySSRC[report.ssrc.rawValue] else { return }
                stream.senderReports += 1
                stream.lastSenderReport = report
                stream.receive.senderReportReceived(
                    ntp: report.ntp.rawValue, rtpTimestamp: report.rtpTimestamp.rawValue, at: now)
            case .sourceDescription:
                var items = try SourceDescription(parsing: packet)
                while let item = try items.next() {
                    subscribedBySSRC[item.ssrc.rawValue]?.lastCNAME = String(decoding: item.text, as: UTF8.self)
                }
            case .receiverReport:
                for block in try ReceiverReport(parsing: packet).reportBlocks { reportReceived(block) }
            case .extendedReport: try extendedReportReceived(packet)
            case .transportFeedback where packet.count == RTCPFeedbackFormat.genericNACK:
                let nack = try GenericNACK(parsing: packet)
                guard let (track, stream) = publishedBySSRC[nack.mediaSSRC.rawValue] else { return }
                stream.nacksReceived += 1
                for number in nack.lost { resend(number.rawValue, of: track, stream) }
            case .transportFeedback where packet.count == RTCPFeedbackFormat.transportWide:
                feedbackReceived(try TransportWideFeedback(parsing: packet))
            case .payloadFeedback where packet.count == RTCPFeedbackFormat.pictureLossIndication:
                keyFrameRequested(try PictureLossIndication(parsing: packet).mediaSSRC)
            case .payloadFeedback where packet.count == RTCPFeedbackFormat.fullIntraRequest:
                for item in try FullIntraRequest(parsing: packet).items { keyFrameRequested(item.ssrc) }
            case .payloadFeedback where packet.count == RTCPFeedbackFormat.applicationLayer:
                let estimate = try ReceiverEstimatedMaximumBitrate(parsing: packet)
                let sources = (0..<estimate.sourceCount).compactMap { estimate.source(at: $0) }
                estimates.append(Estimate(at: now, bitrate: estimate.bitrate, sources: sources))
            default: break
            }
        }

        private func keyFrameRequested(_ ssrc: SSRC) {
            guard let (track, stream) = publishedBySSRC[ssrc.rawValue],
                let index = track.encodings.firstIndex(where: { $0 === stream })
            else { return }
            stream.keyFrameRequestTimes.append(now)
            if track.answersKeyFrameRequests { track.needsKeyFrame[index] = true }
        }

        private func reportReceived(_ block: ReportBlock) {
            guard let (_, stream) = publishedBySSRC[block.ssrc.rawValue], stream.ssrc == block.ssrc else { return }
            stream.lastReport = block
            stream.reportsReceived += 1
            stream.roundTripTime =
                RoundTripTime.measured(
                    now: wallClock.compact, lastReport: block.lastSenderReport, delay: block.delaySinceLastSenderReport)
                ?? stream.roundTripTime
        }

        private func extendedReportReceived(_ packet: RTCPPacketView) throws(WireError) {
            var report = try ExtendedReport(parsing: packet)
            while let block = try report.next() {
                switch block {
                case .receiverReferenceTime(let time): receiverReference = (time.compact, report.ssrc, now)
                case .delaySinceLastReceiverReport(let items):
                    for item in items where item.ssrc == reportSSRC {
                        roundTripTime =
                            RoundTripTime.measured(
                                now: wallClock.compact, lastReport: item.lastReceiverReport, delay: item.delay)
                            ?? roundTripTime
                    }
                case .other: break
                }
            }
        }

        private func feedbackReceived(_ message: TransportWideFeedback) {
            feedback.packets += 1
            if let last = feedback.lastCount, message.feedbackCount != last &+ 1 { feedback.skipped += 1 }
            feedback.lastCount = message.feedbackCount
            for status in message.packets {
                feedback.statuses += 1
                guard status.arrival != nil, !transportWideLog.isEmpty else { continue }
                feedback.received += 1
                let index = Int(status.sequenceNumber.rawValue)
                switch transportWideLog[index] {
                case 1: feedback.audioAcknowledged += 1
                case 2: feedback.videoAcknowledged += 1
                default: break
                }
                transportWideLog[index] |= 4
            }
        }
    }
#endif
