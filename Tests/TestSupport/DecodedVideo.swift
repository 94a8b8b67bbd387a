// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// One packet that a receiver got.
    struct ReceivedPacket {
        var extended: UInt64
        /// `nil` for padding alone.
        var content: TestPayload.Content?
        var timestamp: UInt32
        var hasMarker: Bool
        var isKeyFrame: Bool
        var layers: PacketLayers
        var at: MediaInstant

        init(
            _ extended: UInt64, _ header: RTPHeader, _ payload: UnsafeRawBufferPointer, codec: CodecKind,
            at now: MediaInstant
        ) {
            self.extended = extended
            content = payload.isEmpty ? nil : TestPayload.read(payload, codec: codec)
            timestamp = header.timestamp.rawValue
            hasMarker = header.hasMarker
            isKeyFrame = RoundhouseMedia.isKeyFrame(codec: codec, payload: payload)
            var reader = LayerReader(codec: codec)
            layers = reader.read(
                payload: payload, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: extended)
            at = now
        }
    }

    /// What a decoder makes of a consumer's packets: which frames are whole, have what they need, and follow each other.
    struct DecodedVideo {
        struct Frame {
            var stream: UInt32
            var index: Int
            var sent: SentFrame
            var outputs: ClosedRange<UInt64>
            var timestamp: UInt32
            var endsPicture: Bool
            var layers: PacketLayers
            var receivedAt: MediaInstant
            var isWhole: Bool
            var isDecoded = false
            /// Some packet came so late to the server, or not at all, that the choice of layers went past it.
            var isExcused: Bool
        }

        private(set) var frames: [Frame] = []
        /// Output numbers from the first to the last, and how many of them never came.
        private(set) var span = 0
        private(set) var missing = 0
        private(set) var unknown = 0

        /// - Parameter streams: everything that may have been forwarded.
        init(_ log: [ReceivedPacket], of streams: [PublishedStream]) {
            let byStream = Dictionary(uniqueKeysWithValues: streams.map { ($0.contentStream, $0) })
            let sorted = log.sorted { $0.extended < $1.extended }
            if let first = sorted.first, let last = sorted.last {
                span = Int(last.extended - first.extended) + 1
                missing = span - Set(sorted.map(\.extended)).count
            }
            var counts: [Int] = []
            for packet in sorted {
                guard let content = packet.content else { continue }
                guard let stream = byStream[content.stream], content.number < stream.frameOfNumber.count else {
                    unknown += 1
                    continue
                }
                let index = stream.frameOfNumber[Int(content.number)]
                let isResent = stream.resent.contains(content.number)
                if let last = frames.indices.last, frames[last].stream == content.stream, frames[last].index == index {
                    counts[last] += 1
                    frames[last].outputs = frames[last].outputs.lowerBound...packet.extended
                    frames[last].endsPicture = packet.hasMarker
                    frames[last].receivedAt = max(frames[last].receivedAt, packet.at)
                    frames[last].isExcused = frames[last].isExcused || isResent
                } else {
                    frames.append(
                        Frame(
                            stream: content.stream, index: index, sent: stream.frames[index],
                            outputs: packet.extended...packet.extended, timestamp: packet.timestamp,
                            endsPicture: packet.hasMarker, layers: packet.layers, receivedAt: packet.at, isWhole: false,
                            isExcused: isResent))
                    counts.append(1)
                }
            }
            var decoded: Set<[Int]> = []
            for index in frames.indices {
                let frame = frames[index]
                let name = Int(frame.stream)
                frames[index].isWhole = counts[index] == frame.sent.packets.count
                let hasAll = frame.sent.needs.allSatisfy { decoded.contains([name, $0]) }
                if frames[index].isWhole, hasAll {
                    frames[index].isDecoded = true
                    decoded.insert([name, frame.index])
                }
                // A frame is as late as the latest packet of its own picture or of a picture it needs.
                let stream = byStream[frame.stream]
                let all = frame.sent.packets
                if all.contains(where: { stream?.resent.contains($0) ?? false }) { frames[index].isExcused = true }
            }
        }

        /// The longest time between two pictures that could be shown, by the time their last packet came.
        var longestFreeze: MediaDuration {
            var times = frames.filter(\.isDecoded).map(\.receivedAt)
            times.sort()
            return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .zero
        }

        /// What is wrong whatever was lost on the way.
        var faults: [String] {
            var list: [String] = []
            if unknown > 0 { list.append("\(unknown) packets of nobody") }
            for (one, next) in zip(frames, frames.dropFirst()) {
                let step = Int32(bitPattern: next.timestamp &- one.timestamp)
                let isSamePicture = one.stream == next.stream && one.sent.picture == next.sent.picture
                if step < 0 || (step == 0) != isSamePicture {
                    list.append("timestamps \(one.timestamp), \(next.timestamp) at \(next.outputs.lowerBound)")
                }
                guard next.outputs.lowerBound == one.outputs.upperBound + 1 else { continue }
                // What is known of an AV1 packet's layers goes with its structure: of one that is late nothing may be.
                guard !one.isExcused, !next.isExcused else { continue }
                if !isSamePicture, !one.endsPicture, one.isWhole {
                    list.append("no marker at \(one.outputs.upperBound)")
                }
                if isSamePicture, one.endsPicture {
                    list.append("a marker within a picture at \(one.outputs.upperBound)")
                }
                guard one.layers.flags.contains(.hasTL0PictureIndex), one.isWhole, next.isWhole else { continue }
                let expected = (one.layers.pictureID &+ 1) & 0x7FFF
                if next.layers.pictureID != expected, !isSamePicture {
                    list.append("picture \(next.layers.pictureID) follows \(one.layers.pictureID)")
                }
                let isBase = next.sent.temporal == 0 && !isSamePicture
                if next.layers.tl0PictureIndex != one.layers.tl0PictureIndex &+ (isBase ? 1 : 0) {
                    list.append("TL0PICIDX \(next.layers.tl0PictureIndex) follows \(one.layers.tl0PictureIndex)")
                }
            }
            return list
        }

        /// Frames that no loss explains and that yet cannot be decoded.
        var broken: [Frame] { frames.filter { !$0.isDecoded && !$0.isExcused } }

        /// Like `broken`, without what a switch to another stream cut: from the first frame of a stream's turn that is not
        /// whole, because what it lacked came behind the switch, if that is no longer than `tail` before the turn's end.
        func brokenBeforeCut(_ tail: MediaDuration) -> [String] {
            var list: [String] = []
            var start = frames.startIndex
            while start < frames.endIndex {
                let end = frames[start...].firstIndex { $0.stream != frames[start].stream } ?? frames.endIndex
                let turn = frames[start..<end]
                let isLast = end == frames.endIndex
                let cut =
                    isLast ? nil : turn.first { !$0.isWhole && frames[end - 1].sent.sentAt - $0.sent.sentAt <= tail }
                for frame in turn where !frame.isDecoded && !frame.isExcused {
                    if let cut, frame.outputs.lowerBound >= cut.outputs.lowerBound { continue }
                    list.append(
                        "\(frame.sent.picture) s\(frame.sent.spatial) t\(frame.sent.temporal) at \(frame.outputs)")
                }
                start = end
            }
            return list
        }

        /// The share of the numbers that came.
        var ratio: Double { span == 0 ? 0 : 1 - Double(missing) / Double(span) }
    }
#endif
