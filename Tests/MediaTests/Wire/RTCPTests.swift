import Testing

@testable import RoundhouseMedia

@Suite("RTCP compound packets")
struct RTCPCompoundTests {
    @Test func `a compound packet yields its packets in order`() throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try RTCPSamples.senderReport.write(into: &writer, reportBlocks: RTCPSamples.blocks)
            try SourceDescription.write(ssrc: SSRC(1), cname: "cname", into: &writer)
            try PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)).write(into: &writer)
        }
        try bytes.withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            let report = try #require(try reader.next())
            #expect(report.type == .senderReport && report.count == 2)
            #expect(report.range == 0..<76 && report.payload.count == 72)
            let description = try #require(try reader.next())
            #expect(description.type == .sourceDescription && description.range.lowerBound == 76)
            let indication = try #require(try reader.next())
            #expect(indication.type == .payloadFeedback && indication.count == 1)
            #expect(indication.range.upperBound == buffer.count)
            let end = try reader.next()
            #expect(end == nil)
        }
    }

    @Test func `padding is taken off, and impossible padding is malformed`() throws {
        func payloadCount(_ hex: String) throws -> Int? {
            try WireSamples.withPacket(WireSamples.hex(hex)) { $0.payload.count }
        }
        #expect(try payloadCount("a0 c9 0002 00000001 00000004") == 4)
        #expect(try payloadCount("a0 c9 0002 00000001 00000008") == 0)
        #expect(throws: WireError.malformed) { try payloadCount("a0 c9 0002 00000001 00000009") }
        #expect(throws: WireError.malformed) { try payloadCount("a0 c9 0002 00000001 00000000") }
        #expect(throws: WireError.malformed) { try payloadCount("a0 c9 0000") }
    }

    @Test func `a wrong version or length is a typed error`() {
        func walk(_ hex: String) throws { _ = try WireSamples.withPacket(WireSamples.hex(hex)) { _ in } }
        #expect(throws: WireError.unsupportedVersion) { try walk("40 c9 0001 00000001") }
        #expect(throws: WireError.truncated) { try walk("80 c9 0002 00000001") }
        #expect(throws: WireError.truncated) { try walk("80 c9 00") }
        #expect(throws: WireError.truncated) { try walk("80 c9 ffff 00000001") }
    }

    @Test func `a parser refuses a packet of another type or format`() throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)).write(into: &writer)
        }
        _ = try WireSamples.withPacket(bytes) { packet in
            #expect(throws: WireError.unexpectedType) { try SenderReport(parsing: packet) }
            #expect(throws: WireError.unexpectedType) { try FullIntraRequest(parsing: packet) }
            #expect(throws: WireError.unexpectedType) { try GenericNACK(parsing: packet) }
        }
    }

    @Test func `a packet that does not fit leaves nothing behind`() throws {
        let bytes = try WireSamples.written(capacity: 60) { (writer) throws(WireError) in
            try SourceDescription.write(ssrc: SSRC(1), cname: "cname", into: &writer)
            let before = writer.count
            #expect(throws: WireError.noSpace) {
                try RTCPSamples.senderReport.write(into: &writer, reportBlocks: RTCPSamples.blocks)
            }
            #expect(writer.count == before)
        }
        #expect(bytes.count == 16)
    }
}

enum RTCPSamples {
    static let senderReport = SenderReport(
        ssrc: SSRC(0x0102_0304), ntp: NTPTimestamp(rawValue: 0x1122_3344_5566_7788),
        rtpTimestamp: RTPTimestamp(0xAABB_CCDD), packetCount: 1000, octetCount: .max)
    static let blocks = [
        ReportBlock(
            ssrc: SSRC(5), fractionLost: 255, cumulativeLost: -2, highestSequence: 0x0001_FFFF, jitter: 9,
            lastSenderReport: 0x3344_5566, delaySinceLastSenderReport: 65536),
        ReportBlock(ssrc: SSRC(6), cumulativeLost: 0x7F_FFFF),
    ]
}

@Suite("RTCP reports")
struct RTCPReportTests {
    @Test func `a sender report is read back with its blocks`() throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try RTCPSamples.senderReport.write(into: &writer, reportBlocks: RTCPSamples.blocks)
        }
        #expect(bytes[..<8].elementsEqual(WireSamples.hex("82 c8 0012 01020304")))
        _ = try WireSamples.withPacket(bytes) { packet in
            let report = try SenderReport(parsing: packet)
            #expect(report == RTCPSamples.senderReport)
            let blocks = Array(try SenderReport.reportBlocks(in: packet))
            #expect(blocks == RTCPSamples.blocks)
        }
    }

    @Test func `a receiver report is read back, also without blocks`() throws {
        for blocks in [RTCPSamples.blocks, []] {
            let bytes = try WireSamples.written { (writer) throws(WireError) in
                try ReceiverReport.write(ssrc: SSRC(3), reportBlocks: blocks, into: &writer)
            }
            _ = try WireSamples.withPacket(bytes) { packet in
                let report = try ReceiverReport(parsing: packet)
                #expect(report.ssrc == SSRC(3))
                #expect(Array(report.reportBlocks) == blocks)
            }
        }
    }

    @Test func `the cumulative loss saturates at 24 bits, and 32 blocks are too many`() throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try ReportBlock(ssrc: SSRC(1), cumulativeLost: .max).write(into: &writer)
            try ReportBlock(ssrc: SSRC(1), cumulativeLost: .min).write(into: &writer)
        }
        #expect(Array(bytes[5..<8]) == [0x7F, 0xFF, 0xFF] && Array(bytes[29..<32]) == [0x80, 0, 0])
        #expect(throws: WireError.tooLarge) {
            try WireSamples.written { (writer) throws(WireError) in
                let blocks = [ReportBlock](repeating: ReportBlock(ssrc: SSRC(1)), count: 32)
                try ReceiverReport.write(ssrc: SSRC(1), reportBlocks: blocks, into: &writer)
            }
        }
    }

    @Test func `a count of blocks that are not there is truncated`() throws {
        _ = try WireSamples.withPacket(WireSamples.hex("81 c9 0001 00000001")) { packet in
            #expect(throws: WireError.truncated) { try ReceiverReport(parsing: packet) }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 255])
    func `a CNAME is read back whatever its length`(length: Int) throws {
        let cname = String(repeating: "c", count: length)
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try SourceDescription.write(ssrc: SSRC(8), cname: cname, into: &writer)
        }
        #expect(bytes.count % 4 == 0)
        _ = try WireSamples.withPacket(bytes) { packet in
            var description = try SourceDescription(parsing: packet)
            let item = try #require(try description.next())
            #expect(item.ssrc == SSRC(8) && item.type == SourceDescriptionItem.cname)
            #expect(Array(item.text) == Array(cname.utf8))
            let end = try description.next()
            #expect(end == nil)
        }
    }

    @Test func `items of several chunks are distinguished; a missing end is truncated`() throws {
        let bytes = WireSamples.hex(
            "83 ca 0007 00000001 01 01 61 02 01 62 00 00 00000002 00000000 00000003 01 01 63 00")
        _ = try WireSamples.withPacket(bytes) { packet in
            var description = try SourceDescription(parsing: packet)
            var found: [[UInt32]] = []
            while let item = try description.next() {
                found.append([item.ssrc.rawValue, UInt32(item.type), UInt32(item.text[0])])
            }
            #expect(found == [[1, 1, 0x61], [1, 2, 0x62], [3, 1, 0x63]])
        }
        _ = try WireSamples.withPacket(WireSamples.hex("81 ca 0002 00000001 01 02 61 62")) { packet in
            var description = try SourceDescription(parsing: packet)
            _ = try description.next()
            #expect(throws: WireError.truncated) { _ = try description.next() }
        }
    }

    @Test(arguments: [nil, "", "bye"] as [String?])
    func `a goodbye is read back with and without a reason`(reason: String?) throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try Goodbye.write(sources: [SSRC(1), SSRC(2)], reason: reason, into: &writer)
        }
        _ = try WireSamples.withPacket(bytes) { packet in
            let goodbye = try Goodbye(parsing: packet)
            #expect(goodbye.sourceCount == 2)
            #expect(goodbye.source(at: 0) == SSRC(1) && goodbye.source(at: 1) == SSRC(2))
            #expect(goodbye.source(at: 2) == nil && goodbye.source(at: -1) == nil)
            #expect(goodbye.reason.map { Array($0) } == reason.map { Array($0.utf8) })
        }
    }

    @Test func `both blocks of an extended report are read back, and an unknown one is skipped`() throws {
        let items = [
            DLRRItem(ssrc: SSRC(1), lastReceiverReport: 2, delay: 3),
            DLRRItem(ssrc: SSRC(4), lastReceiverReport: 5, delay: 6),
        ]
        var bytes = try WireSamples.written { (writer) throws(WireError) in
            try ExtendedReport.write(
                ssrc: SSRC(7), receiverReferenceTime: NTPTimestamp(rawValue: 99), dlrr: items, into: &writer)
        }
        bytes += WireSamples.hex("2a 00 0001 deadbeef")
        bytes[3] += 2
        _ = try WireSamples.withPacket(bytes) { packet in
            var report = try ExtendedReport(parsing: packet)
            #expect(report.ssrc == SSRC(7))
            var found: [String] = []
            while let block = try report.next() {
                switch block {
                case .receiverReferenceTime(let time): found.append("rrtr \(time.rawValue)")
                case .delaySinceLastReceiverReport(let list):
                    #expect(Array(list) == items)
                    found.append("dlrr")
                case .other(let type): found.append("other \(type)")
                }
            }
            #expect(found == ["rrtr 99", "dlrr", "other 42"])
        }
    }

    @Test func `an extended report block of a wrong length is malformed or truncated`() throws {
        for (hex, error) in [
            ("80 cf 0003 00000001 04 00 0001 00000000", WireError.malformed),
            ("80 cf 0004 00000001 05 00 0002 00000000 00000000", .malformed),
            ("80 cf 0003 00000001 05 00 0003 00000000", .truncated),
        ] {
            _ = try WireSamples.withPacket(WireSamples.hex(hex)) { packet in
                var report = try ExtendedReport(parsing: packet)
                #expect(throws: error) { _ = try report.next() }
            }
        }
    }
}

@Suite("RTCP feedback")
struct RTCPFeedbackTests {
    private func nack(_ numbers: [UInt16]) throws -> [UInt8] {
        try WireSamples.written { (writer) throws(WireError) in
            try GenericNACK.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), lost: numbers.map(SequenceNumber.init), into: &writer)
        }
    }

    @Test(
        arguments: [
            ([10], 1), ([10, 11, 26], 1), ([10, 27], 2), ([65534, 65535, 0, 14], 1), ([65534, 15], 2),
            ([0, 16, 17, 33, 50], 3), (Array(100..<134), 2), (Array(100..<135), 3),
        ] as [([UInt16], Int)])
    func `lost sequence numbers are packed into pairs and read back`(numbers: [UInt16], pairs: Int) throws {
        let bytes = try nack(numbers)
        #expect(bytes.count == 12 + 4 * pairs)
        _ = try WireSamples.withPacket(bytes) { packet in
            let nack = try GenericNACK(parsing: packet)
            #expect(nack.senderSSRC == SSRC(1) && nack.mediaSSRC == SSRC(2))
            #expect(nack.lost.map(\.rawValue) == numbers)
        }
    }

    @Test func `a repeated number is asked for once, and none at all is refused`() throws {
        _ = try WireSamples.withPacket(try nack([5, 5, 6])) { packet in
            let numbers = try GenericNACK(parsing: packet).lost.map(\.rawValue)
            #expect(numbers == [5, 6])
        }
        #expect(throws: WireError.malformed) { try nack([]) }
        _ = try WireSamples.withPacket(WireSamples.hex("81 cd 0002 00000001 00000002")) { packet in
            #expect(throws: WireError.malformed) { try GenericNACK(parsing: packet) }
        }
    }

    @Test func `more pairs than the bound are refused`() throws {
        let numbers = (0..<257).map { UInt16($0 * 17) }
        _ = try WireSamples.withPacket(try nack(Array(numbers[..<256]))) { packet in
            let count = try GenericNACK(parsing: packet).lost.reduce(0) { count, _ in count + 1 }
            #expect(count == 256)
        }
        _ = try WireSamples.withPacket(try nack(numbers)) { packet in
            #expect(throws: WireError.tooLarge) { try GenericNACK(parsing: packet) }
        }
    }

    @Test func `key frame requests are read back`() throws {
        let indication = PictureLossIndication(senderSSRC: SSRC(3), mediaSSRC: SSRC(4))
        var bytes = try WireSamples.written { (writer) throws(WireError) in try indication.write(into: &writer) }
        #expect(bytes == WireSamples.hex("81 ce 0002 00000003 00000004"))
        _ = try WireSamples.withPacket(bytes) { packet in
            let read = try PictureLossIndication(parsing: packet)
            #expect(read == indication)
        }
        let items = [
            FullIntraRequestItem(ssrc: SSRC(5), sequenceNumber: 255),
            FullIntraRequestItem(ssrc: SSRC(6), sequenceNumber: 0),
        ]
        bytes = try WireSamples.written { (writer) throws(WireError) in
            try FullIntraRequest.write(senderSSRC: SSRC(3), items: items, into: &writer)
        }
        _ = try WireSamples.withPacket(bytes) { packet in
            let request = try FullIntraRequest(parsing: packet)
            #expect(request.senderSSRC == SSRC(3) && request.mediaSSRC == SSRC(0))
            #expect(Array(request.items) == items)
        }
    }

    @Test(
        arguments: [
            (0, 0), (262_143, 262_143), (262_144, 262_144), (600_001, 600_000), (.max, 0xFFFF_C000_0000_0000),
        ] as [(UInt64, UInt64)])
    func `a bitrate keeps 18 significant bits`(bitrate: UInt64, kept: UInt64) throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try ReceiverEstimatedMaximumBitrate.write(
                senderSSRC: SSRC(1), bitrate: bitrate, sources: [SSRC(2), SSRC(3)], into: &writer)
        }
        _ = try WireSamples.withPacket(bytes) { packet in
            let remb = try ReceiverEstimatedMaximumBitrate(parsing: packet)
            #expect(remb.bitrate == kept && remb.senderSSRC == SSRC(1) && remb.sourceCount == 2)
            #expect(remb.source(at: 0) == SSRC(2) && remb.source(at: 1) == SSRC(3) && remb.source(at: 2) == nil)
        }
    }

    @Test func `a bitrate beyond 64 bits is malformed, another application's feedback of another type`() throws {
        for (hex, error) in [
            ("8f ce 0004 00000001 00000000 52454d42 00 ffffff", WireError.malformed),
            ("8f ce 0004 00000001 00000000 52454d43 00 000000", .unexpectedType),
            ("8f ce 0004 00000001 00000000 52454d42 01 000000", .truncated),
        ] {
            _ = try WireSamples.withPacket(WireSamples.hex(hex)) { packet in
                #expect(throws: error) { try ReceiverEstimatedMaximumBitrate(parsing: packet) }
            }
        }
    }
}
