// Safe: a compound packet is read through `RTCPCompoundReader`, which checks lengths; the rest is the shard's own
// (`Shard+Lifetimes`).
extension Shard {
    /// An SRTCP packet: decrypted in place, each of its packets taken by itself.
    mutating func rtcpReceived(
        _ datagram: UnsafeMutableRawBufferPointer, on transport: UnsafeMutablePointer<MediaTransport>,
        _ webRTC: UnsafeMutablePointer<WebRTCAssociation>, tuple: TupleID
    ) {
        let length: Int
        switch transport.pointee.protection.openRTCP(datagram) {
        case .packet(let plain): length = plain
        case .dropped(let reason): return counters.add(reason)
        }
        if webRTC.pointee.ice.feedbackReceived(on: tuple, at: now) { iceAdvanced(transport, webRTC) }
        openedRTCPReceived(UnsafeRawBufferPointer(rebasing: datagram[..<length]), on: transport)
    }

    /// A compound RTCP packet in the clear.
    mutating func openedRTCPReceived(
        _ compound: UnsafeRawBufferPointer, on transport: UnsafeMutablePointer<MediaTransport>
    ) {
        var reader = RTCPCompoundReader(compound)
        do throws(WireError) {
            while let packet = try reader.next() { try rtcpPacketReceived(packet, on: transport) }
        } catch {
            counters.add(.malformedRTCP)
        }
        touch(transport)
    }

    private mutating func rtcpPacketReceived(
        _ packet: RTCPPacketView, on transport: UnsafeMutablePointer<MediaTransport>
    ) throws(WireError) {
        switch packet.type {
        case .senderReport:
            let report = try SenderReport(parsing: packet)
            if let reference = transport.pointee.streams.find(report.ssrc.rawValue), !reference.isRTX {
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
            transport.pointee.history.lossSent.add(lost: lost, of: feedback.packetCount)
        case .payloadFeedback where packet.count == RTCPFeedbackFormat.pictureLossIndication:
            let request = try PictureLossIndication(parsing: packet)
            if let consumer = transport.pointee.consumersBySSRC.find(request.mediaSSRC.rawValue) {
                consumer.pointee.stream.pliReceived()
                traceFeedback(.pli, from: consumer)
                consumerAskedForKeyFrame(consumer)
            }
        case .payloadFeedback where packet.count == RTCPFeedbackFormat.fullIntraRequest:
            for item in try FullIntraRequest(parsing: packet).items {
                guard let consumer = transport.pointee.consumersBySSRC.find(item.ssrc.rawValue) else { continue }
                consumer.pointee.stream.firReceived()
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
        case .transportFeedback, .payloadFeedback:
            do throws(WireError) { try UnusedFeedback.check(packet) } catch {
                guard error == .unexpectedType else { throw error }
            }
            counters.add(.unsupportedRTCP)
        default: counters.add(.unsupportedRTCP)
        }
    }

    private mutating func senderReportReceived(
        _ report: SenderReport, of stream: UnsafeMutablePointer<ReceivingStream>
    ) {
        // From a sender without a wall clock (RFC 3550 §6.4.1).
        guard report.ntp.rawValue != 0 else { return }
        let transport = stream.pointee.producer.pointee.transport
        let takenAt = transport.pointee.history.senderClocks.reportReceived(
            ntp: report.ntp.rawValue, of: stream.pointee.producer.pointee.settings.cname,
            among: Set(transport.pointee.producers.map { $0.pointee.settings.cname }), at: now)
        stream.pointee.stream.senderReportReceived(
            ntp: report.ntp.rawValue, rtpTimestamp: report.rtpTimestamp.rawValue, takenAt: takenAt, at: now)
        encodingAdvanced(stream)
    }

    private func reportReceived(_ block: ReportBlock, on transport: UnsafeMutablePointer<MediaTransport>) {
        // Reports on RTX streams say nothing that the media stream's does not.
        guard let consumer = transport.pointee.consumersBySSRC.find(block.ssrc.rawValue),
            consumer.pointee.ssrc == block.ssrc.rawValue
        else { return }
        let report = ReceptionReport(
            fractionLost: block.fractionLost, cumulativeLost: block.cumulativeLost,
            extendedHighestSequence: block.highestSequence, jitter: block.jitter,
            lastSenderReport: block.lastSenderReport, delaySinceLastSenderReport: block.delaySinceLastSenderReport)
        if consumer.pointee.stream.receiverReportReceived(report, compactNTP: wallClock.compact) {
            consumerScoreChanged(consumer)
        }
        consumerLossReported(consumer, fraction: report.fractionLost)
    }

    private func extendedReportReceived(
        _ packet: RTCPPacketView, on transport: UnsafeMutablePointer<MediaTransport>
    ) throws(WireError) {
        var report = try ExtendedReport(parsing: packet)
        while let block = try report.next() {
            switch block {
            case .receiverReferenceTime(let time):
                transport.pointee.receiverReference = (time.compact, report.ssrc.rawValue, now)
            case .delaySinceLastReceiverReport(let items):
                for item in items where item.ssrc.rawValue == transport.pointee.feedbackSSRC {
                    guard
                        let time = RoundTripTime.measured(
                            now: wallClock.compact, lastReport: item.lastReceiverReport, delay: item.delay)
                    else { continue }
                    // One round trip for the transport: every stream's repair is paced by it.
                    for producer in transport.pointee.producers {
                        for case .some(let stream) in producer.pointee.streams {
                            stream.pointee.stream.roundTripTime = time
                            stream.pointee.nacks.roundTripTime = time
                        }
                    }
                }
            case .other: break
            }
        }
    }

    private mutating func nackReceived(
        _ nack: GenericNACK, on transport: UnsafeMutablePointer<MediaTransport>
    ) throws(WireError) {
        counters.add(.nacksReceived)
        guard let consumer = transport.pointee.consumersBySSRC.find(nack.mediaSSRC.rawValue),
            consumer.pointee.ssrc == nack.mediaSSRC.rawValue, consumer.pointee.canRetransmit
        else { return }
        var count = 0
        for number in nack.lost {
            count += 1
            resend(number.rawValue, to: consumer)
        }
        consumer.pointee.stream.nackReceived(packets: count)
        traceFeedback(.nack, from: consumer)
    }

    // MARK: Key frames

    mutating func consumerAskedForKeyFrame(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        counters.add(.keyFrameRequestsReceived)
        guard consumer.pointee.wantsMedia else { return }
        askForKeyFrame(
            .receiver, of: consumer.pointee.selection?.pointee.mainEncoding ?? 0, consumer.pointee.need, for: consumer)
    }

    /// A consumer that waits, or would switch, needs its target's key frame.
    mutating func askForWantedKeyFrame(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard let encoding = consumer.pointee.wantedKeyFrame else { return }
        askForKeyFrame(.start, of: encoding, consumer.pointee.needOfLayers(at: now), for: consumer)
    }

    /// Asks for what one consumer has to have, now or as soon as it may, and until it has it.
    mutating func askForKeyFrame(
        _ cause: KeyFrameWish.Cause, of encoding: Int, _ need: KeyFrameRequester.Need,
        for consumer: UnsafeMutablePointer<ShardConsumer>
    ) {
        if case .stopped = consumer.pointee.flow { return }
        consumer.pointee.settleWishes()
        let isNew = consumer.pointee.wish.open(cause, encoding: encoding, at: now)
        list(consumer)
        guard consumer.pointee.wish.isDue(encoding: encoding, at: now) else { return }
        askForKeyFrame(of: consumer.pointee.source, encoding: encoding, for: need, isRenewal: !isNew)
    }

    /// Sees to it that a consumer's wish is renewed until it is granted.
    mutating func list(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard !consumer.pointee.wish.isListed else { return }
        consumer.pointee.wish.isListed = true
        wishing.append(consumer)
        if nextWish == nil { nextWish = now + KeyFrameWish.renewal }
    }

    /// Forgets the wishes of a consumer that closes.
    mutating func unlist(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.wish.isListed else { return }
        wishing.removeAll { $0 == consumer }
        if wishing.isEmpty { nextWish = nil }
    }

    /// Asks again for what has not come, whatever arrives: the sender may be silent.
    mutating func renewWishes() {
        for consumer in wishing {
            consumer.pointee.settleWishes()
            if let encoding = consumer.pointee.wish.encoding(of: .receiver) {
                askForKeyFrame(.receiver, of: encoding, consumer.pointee.need, for: consumer)
            }
            askForWantedKeyFrame(consumer)
            let wish = consumer.pointee.wish
            consumer.pointee.wish.isListed = wish.encoding(of: .receiver) != nil || wish.encoding(of: .start) != nil
        }
        wishing.removeAll { !$0.pointee.wish.isListed }
        nextWish = wishing.isEmpty ? nil : now + KeyFrameWish.renewal
    }

    /// Asks the producer's shard, which may be this one; every consumer's wishes meet in one `KeyFrameRequester` there.
    private mutating func askForKeyFrame(
        of source: UnsafeMutablePointer<ConsumerSource>, encoding: Int, for need: KeyFrameRequester.Need,
        isRenewal: Bool
    ) {
        guard encoding < source.pointee.encodings else { return }
        if isRenewal, let last = source.pointee.lastKeyFrameRequest[encoding], now - last < KeyFrameWish.renewal {
            return
        }
        source.pointee.lastKeyFrameRequest[encoding] = now
        let shard = source.pointee.key.shard
        if shard == index {
            return keyFrameRequested(
                producer: source.pointee.key.rawValue, encoding: encoding, for: need, isRenewal: isRenewal)
        }
        send(
            .keyFrameRequest(producer: source.pointee.key.rawValue, encoding: encoding, need, isRenewal: isRenewal),
            to: shard)
    }

    /// Some shard's consumer needs a key frame of a producer that lives here.
    mutating func keyFrameRequested(
        producer key: UInt64, encoding: Int, for need: KeyFrameRequester.Need, isRenewal: Bool
    ) {
        guard let producer = producersByKey[key], producer.pointee.settings.kind == .video,
            !producer.pointee.isPaused, encoding < producer.pointee.streams.count,
            let stream = producer.pointee.streams[encoding]
        else { return }
        let mustSend =
            isRenewal
            ? stream.pointee.keyFrames.renewed(for: need, at: now)
            : stream.pointee.keyFrames.requested(for: need, at: now)
        if mustSend { sendKeyFrameRequest(stream) }
        touch(producer.pointee.transport)
    }

    /// What is sent needs a key frame now, whoever waits.
    mutating func forceKeyFrame(of stream: UnsafeMutablePointer<ReceivingStream>) {
        let producer = stream.pointee.producer
        guard !producer.pointee.isPaused, producer.pointee.settings.kind == .video else { return }
        if stream.pointee.keyFrames.forced(at: now) { sendKeyFrameRequest(stream) }
        touch(producer.pointee.transport)
    }

    /// PLI where negotiated, else FIR.
    mutating func sendKeyFrameRequest(_ stream: UnsafeMutablePointer<ReceivingStream>) {
        let transport = stream.pointee.producer.pointee.transport
        let ssrc = stream.pointee.stream.ssrc
        let feedback = stream.pointee.feedback
        let sender = SSRC(transport.pointee.feedbackSSRC)
        if feedback.contains(.pictureLossIndication) {
            stream.pointee.stream.pliSent()
            traceFeedback(.pli, isIncoming: false, of: stream)
            sendRTCP(on: transport) { (writer) throws(WireError) in
                try PictureLossIndication(senderSSRC: sender, mediaSSRC: ssrc).write(into: &writer)
            }
        } else if feedback.contains(.fullIntraRequest) {
            stream.pointee.stream.firSent()
            traceFeedback(.fir, isIncoming: false, of: stream)
            stream.pointee.fullIntraRequest &+= 1
            let item = FullIntraRequestItem(ssrc: ssrc, sequenceNumber: stream.pointee.fullIntraRequest)
            sendRTCP(on: transport) { (writer) throws(WireError) in
                try FullIntraRequest.write(senderSSRC: sender, items: [item], into: &writer)
            }
        } else {
            return
        }
        counters.add(.keyFrameRequestsSent)
    }
}
