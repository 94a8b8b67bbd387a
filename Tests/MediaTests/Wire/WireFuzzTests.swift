import Testing

@testable import RoundhouseMedia

/// Damaged input of every kind must come back as an error or a value, never as a trap.
@Suite("Damaged input")
struct WireFuzzTests {
    private static func compound() throws -> [UInt8] {
        try WireSamples.written { (writer) throws(WireError) in
            try RTCPSamples.senderReport.write(into: &writer, reportBlocks: RTCPSamples.blocks)
            try ReceiverReport.write(ssrc: SSRC(1), reportBlocks: RTCPSamples.blocks, into: &writer)
            try SourceDescription.write(ssrc: SSRC(1), cname: "cname", into: &writer)
            try Goodbye.write(sources: [SSRC(1), SSRC(2)], reason: "bye", into: &writer)
            try ExtendedReport.write(
                ssrc: SSRC(1), receiverReferenceTime: NTPTimestamp(rawValue: 1),
                dlrr: [DLRRItem(ssrc: SSRC(1), lastReceiverReport: 2, delay: 3)], into: &writer)
            try GenericNACK.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), lost: [SequenceNumber(1), SequenceNumber(9)], into: &writer)
            try PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)).write(into: &writer)
            try FullIntraRequest.write(
                senderSSRC: SSRC(1), items: [FullIntraRequestItem(ssrc: SSRC(1), sequenceNumber: 1)], into: &writer)
            try ReceiverEstimatedMaximumBitrate.write(
                senderSSRC: SSRC(1), bitrate: 1_000_000, sources: [SSRC(2)], into: &writer)
            try TransportWideFeedback.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(3), referenceTime: 4,
                feedbackCount: 5,
                arrivals: [.received(delta: 1), .notReceived, .received(delta: -1)]
                    + [TransportWideArrival](repeating: .notReceived, count: 30) + [.received(delta: 9)], into: &writer)
        }
    }

    /// Each packet of the compound packet on its own.
    private static func packets() throws -> [[UInt8]] {
        try compound().withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            var packets: [[UInt8]] = []
            while let packet = try reader.next() { packets.append(Array(buffer[packet.range])) }
            return packets
        }
    }

    /// Reads everything there is to read, whatever the type says.
    private static func readRTCP(_ buffer: UnsafeRawBufferPointer) {
        var reader = RTCPCompoundReader(buffer)
        while let packet = (try? reader.next()) ?? nil {
            _ = try? SenderReport(parsing: packet)
            if let blocks = try? SenderReport.reportBlocks(in: packet) { for _ in blocks {} }
            if let report = try? ReceiverReport(parsing: packet) { for _ in report.reportBlocks {} }
            if var description = try? SourceDescription(parsing: packet) {
                while let item = (try? description.next()) ?? nil { _ = item.text.count }
            }
            if let goodbye = try? Goodbye(parsing: packet) {
                for index in 0..<goodbye.sourceCount { #expect(goodbye.source(at: index) != nil) }
            }
            if var report = try? ExtendedReport(parsing: packet) {
                while let block = (try? report.next()) ?? nil {
                    if case .delaySinceLastReceiverReport(let list) = block { for _ in list {} }
                }
            }
            if let nack = try? GenericNACK(parsing: packet) { for _ in nack.lost {} }
            _ = try? PictureLossIndication(parsing: packet)
            if let request = try? FullIntraRequest(parsing: packet) { for _ in request.items {} }
            if let remb = try? ReceiverEstimatedMaximumBitrate(parsing: packet) {
                for index in 0..<remb.sourceCount { #expect(remb.source(at: index) != nil) }
            }
            if let feedback = try? TransportWideFeedback(parsing: packet) {
                var count = 0
                for _ in feedback.packets { count += 1 }
                if count != feedback.packetCount { Issue.record("a checked feedback ended early") }
            }
        }
    }

    private static func readRTP(_ buffer: UnsafeRawBufferPointer) {
        var ids = HeaderExtensionIDs()
        (ids[.mid], ids[.absSendTime], ids[.transportWideSequence], ids[.audioLevel], ids[.playoutDelay]) = (
            1, 4, 2, 3, 14
        )
        for header in [try? RTPHeader(parsing: buffer), try? RTPHeader(parsingEncrypted: buffer)] {
            guard let header else { continue }
            if header.headerLength + header.payloadLength + header.paddingLength != buffer.count {
                Issue.record("the parts do not make up the packet")
            }
            _ = ReceivedExtensions(header, in: buffer, ids: ids)
            guard let payload = buffer.view(header.payload) else {
                Issue.record("the payload is outside the packet")
                continue
            }
            readPayload(payload)
        }
    }

    private static func readPayload(_ payload: UnsafeRawBufferPointer) {
        for codec in [CodecKind.opus, .vp8, .vp9, .h264, .h265, .av1, .other] {
            _ = isKeyFrame(codec: codec, payload: payload)
        }
        _ = OpusPayload.isDTX(payload)
    }

    private static func readSTUN(_ buffer: UnsafeRawBufferPointer) {
        _ = try? STUNMessage(parsing: buffer)
        _ = ICELiteAgent.localUsernameFragment(of: buffer)
    }

    @Test func `damaged RTP does not trap`() {
        let twoByte = WireSamples.hex(
            "90 60 0001 00000000 00000001 1000 0003 01 02 6162 00 04 03 010203 09 00 00 10 00")
        WireSamples.fuzz([RTPHeaderTests.sample, twoByte], Self.readRTP)
        WireSamples.forEachTruncation(of: twoByte, Self.readRTP)
    }

    @Test func `damaged RTCP packets do not trap`() throws { WireSamples.fuzz(try Self.packets(), Self.readRTCP) }

    @Test func `damaged compound RTCP packets do not trap`() throws {
        let compound = try Self.compound()
        WireSamples.fuzz([compound], iterations: 4000, Self.readRTCP)
        WireSamples.forEachTruncation(of: compound, Self.readRTCP)
    }

    @Test func `each RTCP packet whose length field was cut with it is an error at every word`() throws {
        for packet in try Self.packets() {
            for words in 0..<(packet.count / 4 - 1) {
                var bytes = Array(packet[..<(4 * (words + 1))])
                bytes[2] = 0
                bytes[3] = UInt8(words)
                bytes.withUnsafeBytes(Self.readRTCP)
            }
            WireSamples.forEachTruncation(of: packet) { buffer in
                var reader = RTCPCompoundReader(buffer)
                if !buffer.isEmpty { #expect(throws: WireError.truncated) { _ = try reader.next() } }
            }
        }
    }

    @Test func `damaged STUN does not trap`() {
        let samples = [RFC5769.request, RFC5769.ipv4Response, RFC5769.ipv6Response, RFC5769.longTermRequest]
        WireSamples.fuzz(samples, Self.readSTUN)
        for sample in samples { WireSamples.forEachTruncation(of: sample, Self.readSTUN) }
    }

    @Test func `damaged payloads do not trap`() {
        WireSamples.fuzz(
            [
                WireSamples.hex("b0 f0 8102 37 a5 00"), VP9DescriptorTests.structured,
                WireSamples.hex("f8 8001 20 03 05 02 ff"), WireSamples.hex("78 0002 6801 0003 674201"),
                WireSamples.hex("6001 0003 020100 0003 400100"), WireSamples.hex("18 0a"), WireSamples.hex("7a 00"),
            ], Self.readPayload)
    }

    @Test func `a damaged datagram gets a kind without a trap`() {
        WireSamples.fuzz([RFC5769.request, RTPHeaderTests.sample]) { _ = DatagramKind.classify($0) }
    }
}
