import Testing

@testable import RoundhouseMedia

@Suite("RTCP feedback that changes nothing")
struct UnusedFeedbackTests {
    private func parse(_ hex: String, _ body: (RTCPPacketView) throws -> Void) throws {
        let found: Void? = try WireSamples.withPacket(WireSamples.hex(hex), body)
        #expect(found != nil)
    }

    @Test func `a bitrate limit has its mantissa, exponent and overhead as in RFC 5104 §4.2.1`() throws {
        // 0x1FFFF << 7, 35 bytes of overhead; then zero bits a second.
        let hex = "83cd 0006 00000001 00000000 00000002 1ffffe23 00000003 fc000000"
        try parse(hex) { packet in
            let limits = try TemporaryMaximumBitrate(parsing: packet)
            #expect(!limits.isNotification && limits.senderSSRC == SSRC(1))
            #expect(
                Array(limits.items) == [
                    TemporaryMaximumBitrateItem(ssrc: SSRC(2), bitrate: 0x1FFFF << 7, overhead: 35),
                    TemporaryMaximumBitrateItem(ssrc: SSRC(3), bitrate: 0, overhead: 0),
                ])
        }
        // A notification may name nobody, a request may not; a bitrate beyond 64 bits is none.
        try parse("84cd 0002 00000001 00000000") { packet in
            let limits = try TemporaryMaximumBitrate(parsing: packet)
            #expect(limits.isNotification && Array(limits.items).isEmpty)
        }
        try parse("83cd 0002 00000001 00000000") { packet in
            #expect(throws: WireError.malformed) { try TemporaryMaximumBitrate(parsing: packet) }
        }
        try parse("83cd 0004 00000001 00000000 00000002 fffffe23") { packet in
            #expect(throws: WireError.malformed) { try TemporaryMaximumBitrate(parsing: packet) }
        }
    }

    @Test func `lost slices have thirteen, thirteen and six bits as in RFC 4585 §6.3.2`() throws {
        try parse("82ce 0004 00000001 00000002 ffffffff 00080045") { packet in
            let indication = try SliceLossIndication(parsing: packet)
            #expect(indication.mediaSSRC == SSRC(2))
            #expect(
                Array(indication.slices) == [
                    LostSlice(first: 0x1FFF, count: 0x1FFF, picture: 63), LostSlice(first: 1, count: 1, picture: 5),
                ])
        }
    }

    @Test func `a reference picture's bits are what the padding of RFC 4585 §6.3.3 leaves`() throws {
        try parse("83ce 0004 00000001 00000002 0ce0a1b2 c3d40000") { packet in
            let selection = try ReferencePictureSelection(parsing: packet)
            #expect(selection.payloadType == 0x60 && selection.bitCount == 48 - 12)
            #expect(Array(selection.picture) == [0xA1, 0xB2, 0xC3, 0xD4, 0, 0])
        }
        try parse("83ce 0003 00000001 00000002 11600000") { packet in
            #expect(throws: WireError.malformed) { try ReferencePictureSelection(parsing: packet) }
        }
    }

    @Test(arguments: [UInt8(5), 6])
    func `a trade-off has the five bits of RFC 5104 §4.3.2, asked for or answered`(format: UInt8) throws {
        var bytes = WireSamples.hex("80ce 0004 00000001 00000000 00000002 070000ff")
        bytes[0] |= format
        _ = try WireSamples.withPacket(bytes) { packet in
            let message = try TemporalSpatialTradeOff(parsing: packet)
            #expect(message.isNotification == (format == 6))
            #expect(Array(message.items) == [TradeOffItem(ssrc: SSRC(2), sequenceNumber: 7, index: 31)])
        }
    }

    @Test func `a back channel message has a length of its own as in RFC 5104 §4.3.4`() throws {
        try parse("87ce 0005 00000001 00000000 00000002 09e00003 aabbcc00") { packet in
            let message = try VideoBackChannelMessage(parsing: packet)
            #expect(message.ssrc == SSRC(2) && message.sequenceNumber == 9 && message.payloadType == 0x60)
            #expect(Array(message.content) == [0xAA, 0xBB, 0xCC])
        }
        try parse("87ce 0005 00000001 00000000 00000002 09600005 aabbcc00") { packet in
            #expect(throws: WireError.truncated) { try VideoBackChannelMessage(parsing: packet) }
        }
    }

    @Test func `losses of others are counted by packets or by streams as in RFC 6642`() throws {
        try parse("87cd 0004 00000001 00000002 00100003 00200000") { packet in
            let count = try ThirdPartyLossIndication.lostPackets(in: packet)
            #expect(count == 4)
        }
        try parse("88ce 0004 00000001 00000000 00000005 00000006") { packet in
            let count = try ThirdPartyLossIndication.streamsWithoutPicture(in: packet)
            #expect(count == 2)
        }
    }

    @Test func `ECN counts are read in the order of RFC 6679 §5.1`() throws {
        let hex = "88cd 0007 00000001 00000002 00010002 00000003 00000004 00050006 00070008"
        try parse(hex) { packet in
            let report = try CongestionNotification(parsing: packet)
            #expect(report.highestSequence == 0x1_0002 && report.capable0 == 3 && report.capable1 == 4)
            #expect(report.congested == 5 && report.notCapable == 6 && report.lost == 7 && report.duplicated == 8)
        }
        try parse(hex.replacing("0007 ", with: "0008 ", maxReplacements: 1) + "00000000") { packet in
            #expect(throws: WireError.malformed) { try CongestionNotification(parsing: packet) }
        }
    }

    /// One packet of each kind that mediasoup's parser knows and this server does not act upon.
    static let samples = [
        "83cd0004 00000001 00000000 00000002 1c9c4023", "84cd0004 00000001 00000000 00000002 1c9c4023",
        "85cd0002 00000001 00000002", "86cd0003 00000001 00000002 01000000", "87cd0003 00000001 00000002 0010ffff",
        "88cd0007 00000001 00000002 00010002 00000003 00000004 00050006 00070008", "89cd0002 00000001 00000002",
        "9fcd0002 00000001 00000002", "82ce0003 00000001 00000002 00080045", "83ce0003 00000001 00000002 0860abcd",
        "85ce0004 00000001 00000000 00000002 0500001f", "86ce0004 00000001 00000000 00000002 0500001f",
        "87ce0005 00000001 00000000 00000002 01600004 deadbeef", "88ce0003 00000001 00000000 00000002",
        "89ce0003 00000001 00000002 00000000", "8fce0005 00000001 00000000 52454d42 01000001 00000002",
        "8fce0003 00000001 00000000 41424344", "9fce0002 00000001 00000002",
    ]

    @Test(arguments: samples)
    func `each kind is known, and cut at any word it is wrong or another packet`(hex: String) throws {
        let bytes = WireSamples.hex(hex)
        _ = try WireSamples.withPacket(bytes) { try UnusedFeedback.check($0) }
        var wrong = 0
        for words in 1..<bytes.count / 4 {
            var cut = Array(bytes[..<(4 * words)])
            cut[3] = UInt8(words - 1)
            _ = try WireSamples.withPacket(cut) { packet in
                do throws(WireError) {
                    try UnusedFeedback.check(packet)
                } catch {
                    #expect(error == .truncated || error == .malformed)
                    wrong += 1
                }
            }
        }
        #expect(wrong >= 2)
    }

    @Test(arguments: ["8acd", "9ecd", "8ace", "9ece"])
    func `feedback nobody has specified is of another type`(head: String) throws {
        _ = try WireSamples.withPacket(WireSamples.hex(head + "0002 00000001 00000002")) { packet in
            #expect(throws: WireError.unexpectedType) { try UnusedFeedback.check(packet) }
        }
    }
}
