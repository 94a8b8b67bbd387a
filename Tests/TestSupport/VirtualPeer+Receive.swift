// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    extension VirtualPeer {
        /// A consumer of ours was opened.
        func add(_ stream: SubscribedStream) {
            subscriptions.append(stream)
            subscribedBySSRC[stream.ssrc.rawValue] = stream
            if let rtx = stream.rtxSSRC { subscribedBySSRC[rtx.rawValue] = stream }
        }

        func remove(_ stream: SubscribedStream) {
            subscriptions.removeAll { $0 === stream }
            subscribedBySSRC = subscribedBySSRC.filter { $0.value !== stream }
        }

        func rtpReceived(_ bytes: UnsafeMutableRawBufferPointer) {
            guard opener != nil, let start = bytes.baseAddress else { return }
            let length: Int
            switch opener!.openRTP(start, count: bytes.count) {
            case .opened(_, let plain, _): length = plain
            case .replayed:
                replays += 1
                return
            case .authenticationFailed:
                authenticationFailures += 1
                return
            case .malformed, .tooManyStreams:
                malformed += 1
                return
            }
            let packet = UnsafeRawBufferPointer(start: start, count: length)
            guard let header = try? RTPHeader(parsing: packet) else {
                malformed += 1
                return
            }
            if givesFeedback,
                let number = ReceivedExtensions(header, in: packet, ids: ClientCodecs.routerExtensions)
                    .transportWideSequence
            {
                arrivals.packetReceived(sequence: number, at: now)
            }
            guard let stream = subscribedBySSRC[header.ssrc.rawValue] else {
                unknownSSRC[header.ssrc.rawValue, default: 0] += 1
                return
            }
            let extensions = ReceivedExtensions(header, in: packet, ids: ClientCodecs.routerExtensions)
            let mid = extensions.mid.map { UnsafeRawBufferPointer(rebasing: packet[$0]) }
            let payload = UnsafeRawBufferPointer(rebasing: packet[header.payload])
            if header.ssrc == stream.rtxSSRC {
                guard payload.count >= 2 else { return }
                stream.packetReceived(
                    header, mid: mid, payload: UnsafeRawBufferPointer(rebasing: payload[2...]),
                    original: payload.uint16(provenAt: 0), at: now)
            } else {
                stream.packetReceived(header, mid: mid, payload: payload, original: nil, at: now)
            }
            requestMissing(stream)
        }

        /// NACKs that are due.
        func requestMissing(_ stream: SubscribedStream) {
            guard let deadline = stream.nacks.nextDeadline, deadline <= now else { return }
            if let roundTripTime { stream.nacks.roundTripTime = roundTripTime }
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 256) { numbers in
                while true {
                    let count = stream.nacks.pollRequest(at: now, into: numbers)
                    guard count > 0 else { return }
                    stream.nacksSent += 1
                    sendNACK(of: stream.ssrc, numbers[..<count].map { SequenceNumber($0) })
                }
            }
        }

        /// What arrived, as transport-wide feedback tells it.
        func sendTransportFeedback() {
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: TransportWideRecorder.maxStatuses) { statuses in
                while let feedback = arrivals.pollFeedback(at: now, into: statuses) {
                    let told = statuses[..<feedback.statusCount].map { status -> TransportWideArrival in
                        status == TransportWideRecorder.notReceived
                            ? .notReceived : .received(delta: Int16(truncatingIfNeeded: status))
                    }
                    sendRTCP { (writer) throws(WireError) in
                        try TransportWideFeedback.write(
                            senderSSRC: reportSSRC, mediaSSRC: SSRC(0),
                            baseSequence: SequenceNumber(feedback.baseSequence),
                            referenceTime: Int32(bitPattern: feedback.referenceTime),
                            feedbackCount: feedback.feedbackCount, arrivals: told, into: &writer)
                    }
                }
            }
        }

        func sendNACK(of ssrc: SSRC, _ lost: [SequenceNumber]) {
            sendRTCP { (writer) throws(WireError) in
                try GenericNACK.write(senderSSRC: reportSSRC, mediaSSRC: ssrc, lost: lost, into: &writer)
            }
        }

        func sendPLI(of stream: SubscribedStream) {
            stream.pliSent += 1
            sendRTCP { (writer) throws(WireError) in
                try PictureLossIndication(senderSSRC: reportSSRC, mediaSSRC: stream.ssrc).write(into: &writer)
            }
        }
    }
#endif
