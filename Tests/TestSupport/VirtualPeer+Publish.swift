// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    extension VirtualPeer {
        /// Adds a track, which sends from the next tick on (if `isSending`).
        /// - Parameter rids: one encoding each; empty for a single one.
        @discardableResult
        func addTrack(
            _ kind: MediaKind, rids: [String] = [], usesRTX: Bool = true, firstSequence: UInt16? = nil,
            layered: LayeredVideo? = nil
        ) -> PublishedTrack {
            let names: [String?] = rids.isEmpty ? [nil] : rids
            let encodings = names.map { rid in
                PublishedStream(
                    ssrc: makeSSRC(), rtxSSRC: kind == .video && usesRTX ? makeSSRC() : nil, rid: rid,
                    firstSequence: firstSequence ?? UInt16.random(in: 0...30_000, using: &random),
                    timestamp: UInt32(truncatingIfNeeded: random.next()))
            }
            let track = PublishedTrack(
                kind: kind, mid: String(nextMID), cname: "peer-\(reportSSRC)", encodings: encodings, usesRTX: usesRTX)
            nextMID += 1
            track.layered = layered
            add(track)
            return track
        }

        func add(_ track: PublishedTrack) {
            tracks.append(track)
            for stream in track.encodings {
                publishedBySSRC[stream.ssrc.rawValue] = (track, stream)
                if let rtx = stream.rtxSSRC { publishedBySSRC[rtx.rawValue] = (track, stream) }
            }
        }

        func removeTrack(_ track: PublishedTrack) {
            tracks.removeAll { $0 === track }
            publishedBySSRC = publishedBySSRC.filter { $0.value.track !== track }
        }

        /// The track's encoding goes on under another SSRC, from other numbers, as when a browser restarts its encoder.
        @discardableResult
        func changeSSRC(of track: PublishedTrack, encoding: Int) -> PublishedStream {
            let old = track.encodings[encoding]
            let stream = PublishedStream(
                ssrc: makeSSRC(), rtxSSRC: old.rtxSSRC.map { _ in makeSSRC() }, rid: old.rid,
                firstSequence: UInt16.random(in: 0...30_000, using: &random),
                timestamp: UInt32(truncatingIfNeeded: random.next()))
            publishedBySSRC = publishedBySSRC.filter { $0.value.stream !== old }
            track.replace(encoding: encoding, by: stream)
            publishedBySSRC[stream.ssrc.rawValue] = (track, stream)
            if let rtx = stream.rtxSSRC { publishedBySSRC[rtx.rawValue] = (track, stream) }
            return stream
        }

        /// A number no stream of this peer has.
        func makeSSRC() -> SSRC {
            SSRC(UInt32(truncatingIfNeeded: random.next() | 1))
        }

        func advance(_ track: PublishedTrack) {
            guard track.isSending else {
                track.nextFrame = nil
                return
            }
            var next = track.nextFrame ?? now
            // A driver that comes late gets what it missed, but no more than a few frames of it.
            if now - next > track.interval * 5 { next = now }
            while next <= now {
                sendFrame(of: track)
                next = next + track.interval
            }
            track.nextFrame = next
        }

        /// Sends one frame of each active encoding.
        func sendFrame(of track: PublishedTrack) {
            defer { track.framesSent += 1 }
            let elapsed = UInt32(
                truncatingIfNeeded: track.interval.nanoseconds / 1000 * Int64(track.clockRate) / 1_000_000)
            for (index, stream) in track.encodings.enumerated()
            where index < track.activeEncodings && !track.silentEncodings.contains(index) {
                stream.timestamp &+= elapsed
                stream.lastTimestampAt = now
                switch track.kind {
                case .audio where track.sendsDTX && track.framesSent % 2 == 1:
                    // RFC 6716 §3.1: a TOC byte of one frame without a byte of data.
                    let silence = PublishedStream.Sent(
                        index: stream.index, timestamp: stream.timestamp, hasMarker: false, payload: [0x78])
                    stream.index += 1
                    stream.packetsSent += 1
                    write(silence, of: track, stream, isRTX: false)
                case .audio:
                    sendPacket(of: track, stream, size: track.audioSize, isStart: true, isLast: true, isKey: false)
                case .video:
                    if let interval = track.video.keyFrameInterval, track.framesSent % interval == 0 {
                        track.needsKeyFrame[index] = true
                    }
                    let isKey = track.needsKeyFrame[index]
                    track.needsKeyFrame[index] = false
                    if isKey { stream.keyFramesSent += 1 }
                    let count = track.video.packetsPerFrame
                    if let layered = track.layered {
                        sendPicture(of: track, stream, layered, isKey: isKey)
                        continue
                    }
                    for packet in 0..<count {
                        let isLast = packet == count - 1
                        let size =
                            isLast ? max(TestPayload.shortest, track.video.packetSize * 2 / 3) : track.video.packetSize
                        sendPacket(of: track, stream, size: size, isStart: packet == 0, isLast: isLast, isKey: isKey)
                    }
                }
            }
        }

        /// Sends one picture with its spatial layers.
        private func sendPicture(
            of track: PublishedTrack, _ stream: PublishedStream, _ layered: LayeredVideo, isKey: Bool
        ) {
            let frames = layered.nextPicture(&stream.pictures, isKey: isKey)
            for (place, var frame) in frames.enumerated() {
                let count = track.video.packetsPerFrame
                frame.packets = stream.number..<stream.number + UInt64(count)
                frame.timestamp = stream.timestamp
                frame.sentAt = now
                for part in 0..<count {
                    let isLast = part == count - 1
                    let prefix = layered.prefix(of: frame, isFirst: part == 0, isLast: isLast)
                    let size = isLast ? track.video.packetSize * 2 / 3 : track.video.packetSize
                    var payload = prefix + [UInt8](repeating: 0, count: max(size, TestPayload.contentLength))
                    let content = TestPayload.Content(stream: stream.contentStream, number: stream.number)
                    payload.withUnsafeMutableBytes { TestPayload.write(content, at: prefix.count, into: $0) }
                    stream.frameOfNumber.append(stream.frames.count)
                    stream.number += 1
                    let sent = PublishedStream.Sent(
                        index: stream.index, timestamp: stream.timestamp,
                        hasMarker: isLast && place == frames.count - 1, payload: payload,
                        descriptor: layered.descriptor(of: frame, isFirst: part == 0, isLast: isLast))
                    stream.index += 1
                    stream.remember(sent)
                    stream.packetsSent += 1
                    stream.bytesSent += UInt64(payload.count)
                    if track.losesKeyFrameStarts, isKey, place == 0, part == 0 { continue }
                    write(sent, of: track, stream, isRTX: false)
                }
                stream.frames.append(frame)
            }
        }

        private func sendPacket(
            of track: PublishedTrack, _ stream: PublishedStream, size: Int, isStart: Bool, isLast: Bool, isKey: Bool
        ) {
            var payload = [UInt8](repeating: 0, count: max(size, TestPayload.shortest))
            let content = TestPayload.Content(stream: stream.contentStream, number: stream.number)
            payload.withUnsafeMutableBytes {
                TestPayload.write(content, codec: track.codec, isFrameStart: isStart, isKeyFrame: isKey, into: $0)
            }
            stream.number += 1
            let sent = PublishedStream.Sent(
                index: stream.index, timestamp: stream.timestamp, hasMarker: isLast, payload: payload)
            stream.index += 1
            if track.kind == .video { stream.remember(sent) }
            stream.packetsSent += 1
            stream.bytesSent += UInt64(size)
            write(sent, of: track, stream, isRTX: false)
        }

        /// Answers a NACK (RFC 4588).
        func resend(_ sequence: UInt16, of track: PublishedTrack, _ stream: PublishedStream) {
            guard track.answersNACK, let sent = stream.sent(sequence) else { return }
            stream.packetsRetransmitted += 1
            stream.resent.insert(stream.number - (stream.index - sent.index))
            write(sent, of: track, stream, isRTX: track.usesRTX && stream.rtxSSRC != nil)
        }

        private func write(
            _ sent: PublishedStream.Sent, of track: PublishedTrack, _ stream: PublishedStream, isRTX: Bool
        ) {
            let ids = track.extensions
            let ssrc = isRTX ? stream.rtxSSRC ?? stream.ssrc : stream.ssrc
            let index = isRTX ? stream.rtxIndex : sent.index
            if isRTX { stream.rtxIndex += 1 }
            do throws(WireError) {
                var writer = try RTPHeaderWriter(
                    into: scratch, payloadType: isRTX ? ClientCodecs.vp8RTX : track.payloadType,
                    hasMarker: sent.hasMarker,
                    sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: index)),
                    timestamp: RTPTimestamp(sent.timestamp), ssrc: ssrc)
                if ids != HeaderExtensionIDs() {
                    try writeExtensions(sent, of: track, stream, isRTX: isRTX, to: &writer)
                }
                var length = try writer.finish()
                let headerLength = length
                if isRTX {
                    scratch.storeBytes(
                        of: UInt16(truncatingIfNeeded: sent.index).bigEndian, toByteOffset: length, as: UInt16.self)
                    length += 2
                }
                UnsafeMutableRawBufferPointer(rebasing: scratch[length...]).copyBytes(from: sent.payload)
                length += sent.payload.count
                sendRTP(headerLength: headerLength, length: length, ssrc: ssrc, index: index)
            } catch {
                preconditionFailure("a packet does not fit \(Self.scratchSize) bytes: \(error)")
            }
        }

        private func writeExtensions(
            _ sent: PublishedStream.Sent, of track: PublishedTrack, _ stream: PublishedStream, isRTX: Bool,
            to writer: inout RTPHeaderWriter
        ) throws(WireError) {
            let ids = track.extensions
            // A structure does not fit the short form (RFC 8285 §4.2).
            try writer.beginExtensions(sent.descriptor.count > 16 ? .twoByte : .oneByte)
            if !sent.descriptor.isEmpty {
                var failure: WireError?
                sent.descriptor.withUnsafeBytes { bytes in
                    do throws(WireError) {
                        _ = try writer.appendExtension(id: ids[.dependencyDescriptor], bytes)
                    } catch { failure = error }
                }
                if let failure { throw failure }
            }
            try append(track.mid, id: ids[.mid], to: &writer)
            if let rid = stream.rid { try append(rid, id: isRTX ? ids[.repairedRID] : ids[.rid], to: &writer) }
            try writer.appendExtension(id: ids[.absSendTime], uint24: now.absoluteSendTime)
            try writer.appendExtension(id: ids[.transportWideSequence], uint16: takeTransportWide(track.kind))
            if let orientation = track.orientation {
                try writer.appendExtension(id: ids[.videoOrientation], uint8: orientation)
            }
            if track.kind == .audio { try writer.appendExtension(id: ids[.audioLevel], uint8: 0x80 | 30) }
        }

        /// Seals and sends the RTP packet that lies in `scratch`.
        func sendRTP(headerLength: Int, length: Int, ssrc: SSRC, index: UInt64) {
            guard sealer != nil, let start = scratch.baseAddress else { return }
            let sealed = sealer!.sealRTP(
                start, headerLength: headerLength, payload: UnsafeRawPointer(start + headerLength),
                payloadLength: length - headerLength, ssrc: ssrc.rawValue, index: index)
            send(UnsafeRawBufferPointer(rebasing: scratch[..<sealed]))
        }

        /// Seals and sends an RTP packet of any content, on no stream of ours.
        func sendRTP(
            payloadType: UInt8, ssrc: SSRC, index: UInt64, payload: [UInt8], mid: String? = nil,
            hasPadding: Bool = false
        ) throws {
            var writer = try RTPHeaderWriter(
                into: scratch, payloadType: payloadType, hasMarker: false,
                sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: index)), timestamp: RTPTimestamp(0),
                ssrc: ssrc, hasPadding: hasPadding)
            if let mid {
                try writer.beginExtensions(.oneByte)
                try append(mid, id: ClientCodecs.extensions[.mid], to: &writer)
            }
            let headerLength = try writer.finish()
            UnsafeMutableRawBufferPointer(rebasing: scratch[headerLength...]).copyBytes(from: payload)
            sendRTP(headerLength: headerLength, length: headerLength + payload.count, ssrc: ssrc, index: index)
        }

        /// Seals and sends a datagram as RTCP, whatever is in it.
        func sendRTCP(_ bytes: [UInt8]) {
            guard sealer != nil, let start = scratch.baseAddress, bytes.count >= 8 else { return }
            scratch.copyBytes(from: bytes)
            let length = sealer!.sealRTCP(start, count: bytes.count)
            send(UnsafeRawBufferPointer(rebasing: scratch[..<length]))
        }

        private func append(_ text: String, id: UInt8, to writer: inout RTPHeaderWriter) throws(WireError) {
            let bytes = Array(text.utf8)
            var failure: WireError?
            bytes.withUnsafeBytes { buffer in
                do throws(WireError) { _ = try writer.appendExtension(id: id, buffer) } catch { failure = error }
            }
            if let failure { throw failure }
        }

        private func takeTransportWide(_ kind: MediaKind) -> UInt16 {
            if transportWideLog.isEmpty { transportWideLog = Array(repeating: 0, count: 65_536) }
            defer { transportWideSequence &+= 1 }
            transportWideLog[Int(transportWideSequence)] = kind == .audio ? 1 : 2
            return transportWideSequence
        }
    }
#endif
