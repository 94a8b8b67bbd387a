// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// What a peer receives of one consumer: order, loss, contents, and what it reports back.
    final class SubscribedStream {
        /// What came of one publisher's stream.
        struct Delivered {
            var first: UInt64
            var highest: UInt64
            private var seen: Set<UInt64> = []

            init(_ number: UInt64) {
                first = number
                highest = number
                seen = [number]
            }

            mutating func insert(_ number: UInt64) -> Bool {
                highest = max(highest, number)
                return seen.insert(number).inserted
            }

            var count: Int { seen.count }
            /// The share of the packets since the first that came.
            var ratio: Double { Double(seen.count { $0 >= first }) / Double(highest - first + 1) }
            func missing(in range: Range<UInt64>) -> [UInt64] { range.filter { !seen.contains($0) } }
        }

        let ssrc: SSRC
        let rtxSSRC: SSRC?
        let kind: MediaKind
        let codec: CodecKind
        let mid: String
        let producer: ProducerKey
        /// Every packet, for `DecodedVideo`.
        var log: [ReceivedPacket] = []
        var keepsLog = false
        private(set) var paddingOnlyPackets = 0
        /// Opus packets without sound.
        private(set) var silences = 0
        var consumer: ConsumerKey?
        var sendsNACK = true

        var receive: ReceiveStream
        var nacks = NACKGenerator()
        /// By the content's stream.
        private(set) var delivered: [UInt32: Delivered] = [:]
        private(set) var packets = 0
        private(set) var bytes = 0
        private(set) var corrupted = 0
        private(set) var wrongMID = 0
        private(set) var wrongPayloadType = 0
        private(set) var repaired = 0
        private(set) var duplicates = 0
        private(set) var keyFrames = 0
        private(set) var firstPacketIsKeyFrame: Bool?
        /// Changes of the difference between our number and the publisher's: pauses and switches.
        private(set) var splices = 0
        private var lastOffset: UInt64?
        private(set) var timestampsBackward = 0
        private var newest: (extended: UInt64, timestamp: UInt32)?
        private(set) var lastPacketAt: MediaInstant?
        var senderReports = 0
        var lastSenderReport: SenderReport?
        var lastCNAME: String?
        var pliSent = 0
        var nacksSent = 0

        init(
            ssrc: SSRC, rtxSSRC: SSRC?, kind: MediaKind, mid: String, producer: ProducerKey, codec: CodecKind? = nil
        ) {
            self.ssrc = ssrc
            self.rtxSSRC = rtxSSRC
            self.kind = kind
            self.codec = codec ?? (kind == .audio ? .opus : .vp8)
            self.mid = mid
            self.producer = producer
            receive = ReceiveStream(ssrc: ssrc, rtxSSRC: rtxSSRC, clockRate: kind == .audio ? 48_000 : 90_000)
        }

        /// Of a sender's other codec.
        var otherPayloadType: UInt8?
        var payloadType: UInt8 { ClientCodecs.routerPayloadType(codec) }

        /// The only publisher's stream, or the one with the most packets.
        var main: Delivered? { delivered.values.max { $0.count < $1.count } }

        /// Starts measuring again.
        func reset() {
            delivered = [:]
            splices = 0
            packets = 0
            firstPacketIsKeyFrame = nil
        }

        /// A packet of the media SSRC, or with `original` one of the RTX SSRC.
        func packetReceived(
            _ header: RTPHeader, mid: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer, original: UInt16?,
            at now: MediaInstant
        ) {
            if let mid, !self.mid.utf8.elementsEqual(mid) { wrongMID += 1 }
            if mid == nil { wrongMID += 1 }
            let arrival: ReceiveStream.Arrival
            if let original {
                if header.payloadType != ClientCodecs.routerVP8RTX { wrongPayloadType += 1 }
                arrival = receive.retransmissionReceived(
                    sequence: header.sequenceNumber.rawValue, originalSequence: original, payloadLength: payload.count,
                    at: now)
            } else {
                if header.payloadType != payloadType, header.payloadType != otherPayloadType { wrongPayloadType += 1 }
                arrival = receive.packetReceived(
                    sequence: header.sequenceNumber.rawValue, timestamp: header.timestamp.rawValue,
                    payloadLength: payload.count, at: now)
            }
            let extended: UInt64
            switch arrival {
            case .accept(let number), .resynchronized(let number): extended = number
            case .duplicate, .tooOld, .discarded:
                duplicates += 1
                return
            }
            if keepsLog {
                log.append(ReceivedPacket(extended, header, payload, codec: codec, at: now))
            }
            if payload.isEmpty {
                paddingOnlyPackets += 1
                if sendsNACK, kind == .video {
                    _ = nacks.packetReceived(
                        extended: extended, isKeyFrame: false, isRecovered: original != nil, at: now)
                }
                return
            }
            packets += 1
            bytes += payload.count
            lastPacketAt = now
            if original != nil { repaired += 1 }
            if kind == .audio, payload.count == 1 {
                silences += 1
                return
            }
            let isKeyFrame = kind == .video && RoundhouseMedia.isKeyFrame(codec: codec, payload: payload)
            if isKeyFrame { keyFrames += 1 }
            if firstPacketIsKeyFrame == nil { firstPacketIsKeyFrame = isKeyFrame }
            if sendsNACK, kind == .video {
                _ = nacks.packetReceived(
                    extended: extended, isKeyFrame: isKeyFrame, isRecovered: original != nil, at: now)
            }
            guard let content = TestPayload.read(payload, codec: codec) else {
                corrupted += 1
                return
            }
            if delivered[content.stream]?.insert(content.number) == nil {
                delivered[content.stream] = Delivered(content.number)
            }
            if newest.map({ extended > $0.extended }) ?? true {
                let offset = extended &- content.number
                if let lastOffset, lastOffset != offset { splices += 1 }
                lastOffset = offset
                if let newest, Int32(bitPattern: header.timestamp.rawValue &- newest.timestamp) < 0 {
                    timestampsBackward += 1
                }
                newest = (extended, header.timestamp.rawValue)
            }
        }

        /// What must hold of every stream, whatever the network did.
        var faults: [String] {
            var list: [String] = []
            if corrupted > 0 { list.append("\(corrupted) payloads changed") }
            if wrongMID > 0 { list.append("\(wrongMID) packets with a wrong MID or none") }
            if wrongPayloadType > 0 { list.append("\(wrongPayloadType) packets with a wrong payload type") }
            if timestampsBackward > 0 { list.append("\(timestampsBackward) timestamps went back") }
            return list
        }
    }
#endif
