import Testing

@testable import RoundhouseMedia

@Suite("Transport-wide feedback")
struct TransportWideFeedbackTests {
    static func written(_ arrivals: [TransportWideArrival], base: UInt16 = 65530, time: Int32 = -3) throws -> [UInt8] {
        try WireSamples.written(capacity: 40_000) { (writer) throws(WireError) in
            try TransportWideFeedback.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(base), referenceTime: time,
                feedbackCount: 200, arrivals: arrivals, into: &writer)
        }
    }

    /// The arrivals as the parser should report them: accumulated.
    static func accumulated(_ arrivals: [TransportWideArrival]) -> [Int?] {
        var time = 0
        return arrivals.map { arrival in
            guard case .received(let delta) = arrival else { return nil }
            time += Int(delta)
            return time
        }
    }

    private func check(_ arrivals: [TransportWideArrival], chunks: Int? = nil) throws {
        let bytes = try Self.written(arrivals)
        _ = try WireSamples.withPacket(bytes) { packet in
            let feedback = try TransportWideFeedback(parsing: packet)
            #expect(feedback.senderSSRC == SSRC(1) && feedback.mediaSSRC == SSRC(2) && feedback.feedbackCount == 200)
            #expect(feedback.referenceTime == -3 && feedback.packetCount == arrivals.count)
            let packets = Array(feedback.packets)
            #expect(packets.map(\.arrival) == Self.accumulated(arrivals))
            let numbers = arrivals.indices.map { SequenceNumber(65530).advanced(by: $0) }
            #expect(packets.map(\.sequenceNumber) == numbers)
        }
        if let chunks {
            let deltas = arrivals.reduce(0) { length, arrival in
                guard case .received(let delta) = arrival else { return length }
                return length + (UInt8(exactly: delta) == nil ? 2 : 1)
            }
            #expect(bytes.count == (20 + 2 * chunks + deltas + 3) / 4 * 4)
        }
    }

    private let small = TransportWideArrival.received(delta: 4)
    private let large = TransportWideArrival.received(delta: -1)
    private let none = TransportWideArrival.notReceived

    @Test func `each chunk kind is chosen where it is shortest`() throws {
        try check([small], chunks: 1)
        try check([TransportWideArrival](repeating: small, count: 8191), chunks: 1)
        try check([TransportWideArrival](repeating: small, count: 8192), chunks: 2)
        try check(
            [small, none, small, none, small, small, none, small, none, small, small, small, none, none], chunks: 1)
        try check([small, none, large, small, none, large, small], chunks: 1)
        try check([small] + [TransportWideArrival](repeating: none, count: 1000) + [small], chunks: 3)
        try check([TransportWideArrival](repeating: large, count: 20), chunks: 1)
        try check([TransportWideArrival](repeating: none, count: 9) + [large], chunks: 2)
    }

    @Test(arguments: [0, 1, 255, 256, -1, Int16.max, .min])
    func `deltas at the ends of their ranges are kept`(delta: Int16) throws {
        try check([small, .received(delta: delta), none, .received(delta: delta)])
    }

    @Test func `a delta that does not fit is refused before it is written`() {
        #expect(TransportWideArrival(deltaTicks: 32767) == .received(delta: 32767))
        #expect(TransportWideArrival(deltaTicks: 32768) == nil)
        #expect(TransportWideArrival(deltaTicks: -32769) == nil)
    }

    @Test(arguments: 1...40)
    func `random arrivals are read back`(seed: UInt64) throws {
        var generator = WireSamples.Generator(seed: seed)
        let count = Int.random(in: 1...500, using: &generator)
        let lossPercent = Int.random(in: 0...100, using: &generator)
        let largePercent = Int.random(in: 0...30, using: &generator)
        try check(
            (0..<count).map { _ in
                if Int.random(in: 0..<100, using: &generator) < lossPercent { return .notReceived }
                if Int.random(in: 0..<100, using: &generator) < largePercent {
                    return .received(delta: Int16.random(in: .min ... .max, using: &generator))
                }
                return .received(delta: Int16.random(in: 0...255, using: &generator))
            })
    }

    @Test func `the bytes are those of the draft, §3.1`() throws {
        let bytes = try Self.written([small, none, .received(delta: 256), small], base: 0x0102, time: 0x030405)
        #expect(
            bytes
                == WireSamples.hex(
                    """
                    8f cd 0006 00000001 00000002 0102 0004 030405 c8
                    d240 04 0100 04 0000
                    """))
    }

    /// What browsers sent, as pion/rtcp keeps it (transport_layer_cc_test.go): the padding bit is set in each.
    struct Capture: Sendable {
        var hex: String
        var base: UInt16
        var referenceTime: Int32
        var count: UInt8
        var arrivals: [Int?]
    }

    static let captures = [
        Capture(
            hex: "afcd0005 fa17fa17 43032fa0 00990001 3de80217 20019401", base: 153, referenceTime: 4_057_090,
            count: 23, arrivals: [148]),
        Capture(
            hex: "afcd0007 fa17fa17 193dd8bb 00040007 10636e01 20074c24 24100c0c 10000003", base: 4,
            referenceTime: 1_074_030, count: 1, arrivals: [76, 112, 148, 164, 176, 188, 204]),
    ]

    @Test(arguments: captures)
    func `browsers' feedback is read`(capture: Capture) throws {
        let found: Void? = try WireSamples.withPacket(WireSamples.hex(capture.hex)) { packet in
            let feedback = try TransportWideFeedback(parsing: packet)
            #expect(feedback.senderSSRC == SSRC(0xFA17_FA17) && feedback.feedbackCount == capture.count)
            #expect(feedback.referenceTime == capture.referenceTime)
            let packets = Array(feedback.packets)
            #expect(packets.map(\.arrival) == capture.arrivals)
            #expect(packets.first?.sequenceNumber == SequenceNumber(capture.base))
        }
        #expect(found != nil)
    }

    @Test func `a vector may describe more packets than there are; nothing is read for them`() throws {
        let bytes = WireSamples.hex("8f cd 0005 00000001 00000002 0001 0001 000000 00 bfff 07 00")
        _ = try WireSamples.withPacket(bytes) { packet in
            let arrivals = Array(try TransportWideFeedback(parsing: packet).packets).map(\.arrival)
            #expect(arrivals == [7])
        }
    }

    @Test(
        arguments: [
            ("8f cd 0005 00000001 00000002 0001 0000 000000 00 2001 0700", WireError.malformed),  // No packet.
            ("8f cd 0005 00000001 00000002 0001 0001 000000 00 2000 0700", .malformed),  // A run of none.
            ("8f cd 0005 00000001 00000002 0001 0001 000000 00 6001 0700", .malformed),  // The reserved symbol.
            ("8f cd 0005 00000001 00000002 0001 0003 000000 00 2003 0700", .truncated),  // Deltas are missing.
            ("8f cd 0005 00000001 00000002 0001 0004 000000 00 0001 0001", .truncated),  // Chunks are missing.
            ("8f cd 0004 00000001 00000002 0001 4001 000000 00", .tooLarge),
        ])
    func `contradictions are typed errors`(hex: String, error: WireError) throws {
        _ = try WireSamples.withPacket(WireSamples.hex(hex)) { packet in
            #expect(throws: error) { try TransportWideFeedback(parsing: packet) }
        }
    }

    @Test func `the writer refuses nothing to say and too much`() {
        #expect(throws: WireError.malformed) { try Self.written([]) }
        #expect(throws: WireError.tooLarge) {
            try Self.written([TransportWideArrival](repeating: none, count: 16_385))
        }
    }
}
