import Testing

@testable import RoundhouseMedia

/// One scripted line: what arrives, and what the stream makes of it.
private enum Line: Sendable {
    case key(Int, String)
    case delta(Int, String)
    case padding(Int, String)
    /// An RTX packet with its own number and the original's; `nil` for one that carries nothing.
    case rtx(Int, of: Int?, String)
    case wait(milliseconds: Int)
    case deadline(String)
    case pause
    case resume(String)
}

private struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let lines: [Line]
    init(_ name: String, _ lines: Line...) {
        testDescription = name
        self.lines = lines
    }
}

private struct Script: ~Copyable {
    private var stream: IncomingStream
    private var now = MediaInstant(nanoseconds: 1_000_000_000_000)

    init() {
        let codec = ProducerCodec(
            codec: .vp8, clockRate: 90_000, payloadType: 96, mappedPayloadType: 101, rtxPayloadType: 97,
            feedback: [.nack, .pictureLossIndication])
        let settings = ProducerSettings(
            kind: .video, mid: nil, cname: "alice", codecs: [codec],
            encodings: [ProducerEncoding(ssrc: SSRC(1), mappedSSRC: SSRC(100))],
            headerExtensions: HeaderExtensionIDs())
        // A stream keeps its producer for its shard, and does not read it.
        stream = IncomingStream(
            producer: Slot(rawValue: 0), settings, encoding: 0, ssrc: SSRC(1), codec: codec)
    }

    mutating func run(_ line: Line) -> (got: String, wanted: String)? {
        switch line {
        case .key(let number, let wanted): return (media(number, [0x10, 0x00, 0, 0, 0x9D, 0x01, 0x2A]), wanted)
        case .delta(let number, let wanted): return (media(number, [0x10, 0x01, 0, 0]), wanted)
        case .padding(let number, let wanted): return (media(number, []), wanted)
        case .rtx(let number, let original, let wanted):
            now = now + .milliseconds(5)
            let payload: [UInt8] = [0x10, 0x01, 0, 0]
            let step = payload.withUnsafeBytes {
                stream.retransmissionArrived(
                    UInt16(number), of: original.map { UInt16($0) }, payload: $0,
                    descriptor: UnsafeRawBufferPointer(start: nil, count: 0), codec: .vp8, at: now)
            }
            return (describe(step), wanted)
        case .wait(let time): now = now + .milliseconds(time)
        case .deadline(let wanted): return (describe(stream.deadlineReached(at: now)), wanted)
        case .pause: stream.paused()
        case .resume(let wanted): return (stream.resumed(at: now) ? "pli" : "-", wanted)
        }
        return nil
    }

    private mutating func media(_ number: Int, _ payload: [UInt8]) -> String {
        now = now + .milliseconds(5)
        let sequence = UInt16(truncatingIfNeeded: number)
        var bytes: [UInt8] = [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xFF), 0, 0, 0, 0, 0, 0, 0, 1]
        bytes += payload
        let step = bytes.withUnsafeBytes { packet -> IncomingStep in
            guard let header = try? RTPHeader(parsing: packet) else {
                return IncomingStep(verdict: .drop(.malformedRTP))
            }
            return stream.packetArrived(
                header, payload: UnsafeRawBufferPointer(rebasing: packet[header.payload]),
                descriptor: UnsafeRawBufferPointer(start: nil, count: 0), codec: .vp8, at: now)
        }
        return describe(step)
    }

    private func describe(_ step: IncomingStep) -> String {
        var words: [String] = []
        switch step.verdict {
        case .drop(let reason): words.append(reason.label)
        case .forward(let packet):
            words.append(
                "\(packet.isKeyFrame ? "key" : packet.isRecovered ? "recovered" : "packet") \(packet.sequence & 0xFFFF)"
            )
        }
        let effects = describe(step.effects)
        if effects != "-" { words.append(effects) }
        return words.joined(separator: ", ")
    }

    private func describe(_ effects: IncomingStep.Effects) -> String {
        var words: [String] = []
        if effects.contains(.restarted) { words.append("restarted") }
        if effects.contains(.requestsKeyFrame) { words.append("pli") }
        if effects.contains(.changesScore) { words.append("score") }
        if effects.contains(.movesDeadline) { words.append("timer") }
        return words.isEmpty ? "-" : words.joined(separator: ", ")
    }
}

@Suite("IncomingStream")
struct IncomingStreamTests {
    private static let rows: [Row] = [
        Row("the first packet gives the stream a score", .key(10, "key 10, score, timer"), .delta(11, "packet 11")),
        Row(
            "a repeated packet is dropped", .key(10, "key 10, score, timer"), .delta(11, "packet 11"),
            .delta(11, "duplicate_packet"), .delta(10, "duplicate_packet")),
        Row(
            "a gap is to be repaired until it is filled", .key(10, "key 10, score, timer"),
            .delta(13, "packet 13, timer"), .delta(12, "packet 12, timer"), .delta(11, "packet 11")),
        Row(
            "a retransmission fills a gap", .key(10, "key 10, score, timer"), .delta(12, "packet 12, timer"),
            .rtx(1, of: 11, "recovered 11"), .rtx(2, of: 11, "useless_retransmission"),
            .delta(11, "duplicate_packet")),
        Row(
            "a retransmission of what is here, or not yet, is of no use", .key(10, "key 10, score, timer"),
            .rtx(1, of: 10, "useless_retransmission"), .rtx(2, of: 20, "useless_retransmission"),
            .rtx(3, of: nil, "useless_retransmission")),
        Row("padding goes on, and is no medium", .padding(10, "packet 10"), .key(11, "key 11, score, timer")),
        Row(
            "one wild number is implausible, two in a row are a restart", .key(10, "key 10, score, timer"),
            .delta(30_000, "implausible_sequence"), .delta(30_001, "packet 30001, restarted, pli, timer"),
            .delta(30_002, "packet 30002")),
        Row(
            "a restart with a key frame asks for one all the same, and then no more", .key(10, "key 10, score, timer"),
            .delta(30_000, "implausible_sequence"), .key(30_001, "key 30001, restarted, pli, timer"),
            .wait(milliseconds: 2000), .deadline("-")),
        Row(
            "a key frame is asked for after a second until it comes", .key(10, "key 10, score, timer"), .pause,
            .resume("pli"), .wait(milliseconds: 500), .deadline("-"), .wait(milliseconds: 500), .deadline("pli"),
            .key(11, "key 11"), .wait(milliseconds: 3000), .deadline("-")),
        Row(
            "what was missing before a pause is not asked for after", .key(10, "key 10, score, timer"),
            .delta(12, "packet 12, timer"), .pause, .resume("pli"), .delta(13, "packet 13")),
    ]

    @Test(arguments: rows)
    private func `a stream decides as its script says`(row: Row) {
        var script = Script()
        for (number, line) in row.lines.enumerated() {
            guard let (got, wanted) = script.run(line) else { continue }
            #expect(got == wanted, "line \(number + 1) of “\(row.testDescription)”")
        }
    }
}
