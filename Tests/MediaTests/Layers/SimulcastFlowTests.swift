import Testing

@testable import RoundhouseMedia

/// One simulcast VP8 producer over a link that loses and reorders, and one consumer made of the machines a shard uses.
private struct Flow: ~Copyable {
    struct Frame: Hashable {
        var encoding: Int
        var number: Int
    }

    struct Packet {
        var frame: Frame
        var sequence: UInt64
        var timestamp: UInt32
        var isKeyFrame: Bool
        var isLast: Bool
        var bytes: [UInt8]
    }

    struct Sent: Hashable {
        var frame: Frame
        var pictureID: UInt16
        var timestamp: UInt32
    }

    static let encodings = 3

    var selector = EncodingSelector(encodings: encodings)
    var temporal = TemporalSelector()
    var source = SourceEncodings(count: encodings, clockRate: 90_000)
    var timestamps = TimestampRewriter(clockRate: 90_000)
    var numbers = SequenceRewriter(firstOutput: 1)
    var pictures = PictureIDRewriter()

    /// By input, what a shard's retransmission buffer keeps.
    var history: [[UInt64: Packet]] = Array(repeating: [:], count: encodings)
    /// By output number.
    var sent: [UInt64: Sent] = [:]
    var duplicates = 0
    /// When each span of one encoding began: the output number and the input.
    var begins: [(output: UInt64, encoding: Int, sequence: UInt64)] = []

    mutating func deliver(_ packet: Packet, at now: MediaInstant) {
        source.packetReceived(encoding: packet.frame.encoding, at: now)
        history[packet.frame.encoding][packet.sequence] = packet
        give(packet, at: now)
    }

    private mutating func give(_ packet: Packet, at now: MediaInstant) {
        let layers = TemporalSelectorTests.layers(packet.bytes)
        let encoding = packet.frame.encoding
        let decision = selector.packetReceived(
            encoding: encoding, layers, isKeyFrame: packet.isKeyFrame, sequence: packet.sequence,
            timestamp: packet.timestamp, source: source, temporal: &temporal, timestamps: &timestamps, at: now)
        switch decision.action {
        case .discard, .hold: return
        case .drop:
            numbers.drop(packet.sequence)
            return pictures.drop(layers)
        case .begin:
            numbers.synchronize(at: packet.sequence, source: UInt8(encoding))
            pictures.synchronize(layers)
            begins.append((numbers.nextOutput, encoding, packet.sequence))
        case .forward: break
        }
        send(packet, layers, at: now)
        guard decision.action == .begin else { return }
        var held = packet.sequence + 1
        while held <= selector.heldThrough {
            if let kept = history[encoding][held] { give(kept, at: now) }
            held += 1
        }
    }

    private mutating func send(_ packet: Packet, _ layers: PacketLayers, at now: MediaInstant) {
        guard let names = pictures.rewrite(layers), let output = numbers.rewrite(packet.sequence) else { return }
        let entry = Sent(
            frame: packet.frame, pictureID: names.pictureID, timestamp: timestamps.rewrite(packet.timestamp, at: now))
        if sent.updateValue(entry, forKey: output) != nil { duplicates += 1 }
    }
}

@Suite("Simulcast through loss and reordering")
struct SimulcastFlowTests {
    private func ms(_ milliseconds: Int) -> MediaInstant {
        MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
    }

    @Test(
        arguments: 1...6 as ClosedRange<UInt64>)
    func `through fifty switches with 5 % repaired loss every picture is whole, in place and in order`(seed: UInt64) {
        var random = WireSamples.Generator(seed: seed)
        var flow = Flow()
        var pending: [(at: Int, order: Int, packet: Flow.Packet)] = []
        var sequences: [UInt64] = [0x1_0000 + 65_000, 0x1_0000 + 200, 0x1_0000 + 30_000]
        var phases = [0, 0, 0]
        var numbers = [32_000, 5, 77]
        var keyWanted: [Int?] = [0, 0, 0]
        var packetCounts: [Flow.Frame: Int] = [:]
        var inputs: [Flow.Frame: [UInt64]] = [:]
        var temporals: [Flow.Frame: Int] = [:]
        /// Pictures that were not there in time: they fill the numbers that were left free for them, wanted or not.
        var repaired: Set<Flow.Frame> = []
        var order = 0
        for time in 0..<90_000 {
            if time % 33 == 0 {
                for encoding in 0..<Flow.encodings {
                    let isKey = keyWanted[encoding].map { time >= $0 } ?? false
                    if isKey {
                        keyWanted[encoding] = nil
                        phases[encoding] = 0
                    }
                    let temporal = [0, 2, 1, 2][phases[encoding] % 4]
                    let frame = Flow.Frame(encoding: encoding, number: numbers[encoding])
                    let count = 1 + Int(random.next() % 4)
                    (packetCounts[frame], temporals[frame]) = (count, temporal)
                    for part in 0..<count {
                        let bytes = TemporalSelectorTests.vp8(
                            picture: frame.number & 0x7FFF, tl0: frame.number / 4, temporal: temporal,
                            sync: temporal > 0, isKey: isKey, start: part == 0)
                        let packet = Flow.Packet(
                            frame: frame, sequence: sequences[encoding],
                            timestamp: UInt32(truncatingIfNeeded: encoding &* 2_000_000_000 &+ time * 90),
                            isKeyFrame: isKey && part == 0, isLast: part == count - 1, bytes: bytes)
                        inputs[frame, default: []].append(packet.sequence)
                        sequences[encoding] += 1
                        let isLost = random.next() % 20 == 0
                        if isLost { repaired.insert(frame) }
                        order += 1
                        pending.append((time + (isLost ? 60 : Int(random.next() % 6)), order, packet))
                    }
                    phases[encoding] += 1
                    numbers[encoding] += 1
                }
            }
            if time % 500 == 0 {
                for encoding in 0..<Flow.encodings {
                    flow.source.senderReportReceived(
                        encoding: encoding,
                        SenderReportInfo(
                            ntp: UInt64(time) << 32 / 1000,
                            rtpTimestamp: UInt32(truncatingIfNeeded: encoding &* 2_000_000_000 &+ time * 90),
                            arrival: ms(time)))
                }
            }
            if time % 1500 == 0 {
                flow.selector.prefer(
                    LayerPosition(spatial: Int(random.next() % 3), temporal: Int(random.next() % 3)))
            }
            if time % 100 == 0 {
                flow.selector.updateTarget(flow.source, temporal: &flow.temporal, at: ms(time))
                if let wanted = flow.selector.wantedKeyFrame, keyWanted[wanted] == nil { keyWanted[wanted] = time + 80 }
            }
            let due = pending.filter { $0.at <= time }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
            if !due.isEmpty {
                pending.removeAll { $0.at <= time }
                for (_, _, packet) in due { flow.deliver(packet, at: ms(time)) }
            }
        }
        let begins = flow.begins
        #expect(begins.count > 25 && flow.duplicates == 0)

        let sent = flow.sent
        var received: [Flow.Frame: Int] = [:]
        for entry in sent.values { received[entry.frame, default: 0] += 1 }
        var lastTimestamp: UInt32?
        for (index, begin) in begins.enumerated() {
            let end = index + 1 < begins.count ? begins[index + 1].output : (sent.keys.max() ?? 0) + 1
            let entries = (begin.output..<end).compactMap { number in sent[number].map { (number, $0) } }
            // Frames of the span in their order, without the few that the switch cut or that were still to be repaired.
            var frames: [Flow.Frame] = []
            for (_, entry) in entries where frames.last != entry.frame { frames.append(entry.frame) }
            #expect(Set(frames).count == frames.count, "no picture is interrupted by another")
            #expect(frames.allSatisfy { $0.encoding == begin.encoding })
            #expect(frames.map(\.number) == frames.map(\.number).sorted())
            #expect(inputs[frames[0]]?.first == begin.sequence, "a span begins with its key frame's first packet")
            let settled = frames.dropLast(4)
            for frame in settled { #expect(received[frame] == packetCounts[frame], "\(frame) is whole") }
            // What each picture refers to was sent: the last base picture, or the one of a lower layer before it.
            for (place, frame) in settled.enumerated() where place > 0 {
                let temporal = temporals[frame] ?? 0
                let back = temporal == 0 ? 4 : temporal == 1 ? 2 : 1
                let isKeyAgain =
                    temporal == 0 && !frames.contains(Flow.Frame(encoding: frame.encoding, number: frame.number - 4))
                let needed = Flow.Frame(encoding: frame.encoding, number: frame.number - back)
                if !isKeyAgain, temporal == 0 || !repaired.contains(frame) {
                    #expect(frames.contains(needed), "\(frame) needs \(needed)")
                }
            }
            // Names: one for all packets of a picture, without a gap from picture to picture.
            var names: [UInt16] = []
            for (_, entry) in entries where settled.contains(entry.frame) {
                if names.last != entry.pictureID { names.append(entry.pictureID) }
                if let lastTimestamp { #expect(Int32(bitPattern: entry.timestamp &- lastTimestamp) >= 0) }
                lastTimestamp = entry.timestamp
            }
            #expect(names.count == settled.count)
            for (one, next) in zip(names, names.dropFirst()) { #expect(next == (one + 1) & 0x7FFF) }
        }
    }
}
