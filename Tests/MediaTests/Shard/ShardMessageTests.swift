import Testing

@testable import RoundhouseMedia

@Suite struct ShardMessageTests {
    private static let template = (0..<36).map { UInt8($0) }
    private static let payload = (0..<777).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    /// A packet whose every field has a value of its own.
    private var packet: PreparedPacket {
        var packet = PreparedPacket(
            producer: 0x1234_5678_9ABC_DEF0, sequence: 1 << 40, timestamp: 0xDEAD_BEEF, headerLength: 36,
            payloadLength: 777, paddingLength: 9, encoding: 2, payloadType: 101, codec: .vp8, isKeyFrame: true,
            isPaddingOnly: false)
        packet.layers.neededBy = 0x0102_0304_0506_0708
        packet.layers.switchTo = 0x1112_1314_1516_1718
        packet.layers.pictureID = 0x4321
        packet.layers.flags = [.isKnown, .hasPictureID, .isDTX]
        packet.layers.spatialLayer = 1
        packet.layers.temporalLayer = 2
        packet.layers.highestSpatialLayer = 3
        packet.layers.tl0PictureIndex = 4
        packet.layers.pictureIDOffset = 5
        packet.layers.tl0PictureIndexOffset = 6
        return packet
    }

    private func encoded(_ message: ShardMessage) -> [UInt8] {
        let length = message.encodedLength
        // Guarded on both sides.
        var memory = [UInt8](repeating: 0xCC, count: length + 16)
        memory.withUnsafeMutableBytes { message.encode(to: $0.baseAddress! + 8) }  // '!' okay: never empty.
        #expect(memory.prefix(8).allSatisfy { $0 == 0xCC } && memory.suffix(8).allSatisfy { $0 == 0xCC })
        return Array(memory[8..<8 + length])
    }

    private func encodedPacket(_ packet: PreparedPacket, age: UInt32? = nil) -> [UInt8] {
        Self.template.withUnsafeBytes { template in
            Self.payload.withUnsafeBytes { payload in
                if let age {
                    encoded(.cachedPacket(packet, template: template, payload: payload, age: age))
                } else {
                    encoded(.packet(packet, template: template, payload: payload))
                }
            }
        }
    }

    @Test func `a packet reads back as it was written, with the bytes of its template and payload`() {
        let bytes = encodedPacket(packet)
        bytes.withUnsafeBytes { bytes in
            guard case .packet(let read, let template, let payload) = ShardMessage(decoding: bytes) else {
                Issue.record("no packet")
                return
            }
            #expect("\(read)" == "\(packet)")
            #expect(template.elementsEqual(Self.template) && payload.elementsEqual(Self.payload))
        }
    }

    @Test(arguments: [CodecKind.opus, .vp8, .vp9, .h264, .h265, .av1, .other])
    func `every codec has a number of its own`(codec: CodecKind) {
        var packet = packet
        packet.codec = codec
        let bytes = encodedPacket(packet, age: 3_000_000_000)
        bytes.withUnsafeBytes { bytes in
            guard case .cachedPacket(let read, _, _, let age) = ShardMessage(decoding: bytes) else {
                Issue.record("no packet")
                return
            }
            #expect(read.codec == codec && age == 3_000_000_000)
        }
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7"]) func `a datagram that is handed on keeps its bytes and addresses`(
        address: String
    ) throws {
        let remote = try #require(IPAddressPort(text: address, port: 50_001))
        let local = try #require(IPAddressPort(text: "198.51.100.1", port: 44_444))
        let bytes = Self.payload.withUnsafeBytes { encoded(.datagram($0, from: remote, to: local)) }
        let claim = encoded(.tupleClaimed(from: local, to: remote, owner: 0x0102_0304_0506_0708))
        for count in 0..<bytes.count {
            bytes.prefix(count).withUnsafeBytes { #expect(ShardMessage(decoding: $0) == nil) }
        }
        for count in 0..<claim.count {
            claim.prefix(count).withUnsafeBytes { #expect(ShardMessage(decoding: $0) == nil) }
        }
        bytes.withUnsafeBytes { bytes in
            guard case .datagram(let read, remote, local) = ShardMessage(decoding: bytes) else {
                Issue.record("no datagram")
                return
            }
            #expect(read.elementsEqual(Self.payload))
        }
        claim.withUnsafeBytes { bytes in
            guard case .tupleClaimed(local, remote, 0x0102_0304_0506_0708) = ShardMessage(decoding: bytes) else {
                Issue.record("no claim")
                return
            }
        }
    }

    private static var small: [ShardMessage] {
        var silent = SourceEncodings.Encoding()
        silent.score = 3
        var sending = SourceEncodings.Encoding()
        sending.lastPacketAt = MediaInstant(nanoseconds: 0x0102_0304_0506_0708)
        sending.activeSince = MediaInstant(nanoseconds: 77)
        sending.report = SenderReportInfo(
            ntp: 1 << 60, rtpTimestamp: .max, arrival: MediaInstant(nanoseconds: 5),
            takenAt: MediaInstant(nanoseconds: 4))
        return [
            .cachedPacketsEnd(producer: .max, completeEncodings: 0b101),
            .keyFrameRequest(producer: 7, encoding: 3, .joining, isRenewal: true),
            .keyFrameRequest(producer: 8, encoding: 0, .change, isRenewal: false),
            .encodingAdvanced(producer: 9, encoding: 7, silent), .encodingAdvanced(producer: 9, encoding: 1, sending),
            .encodingRestarted(producer: 10, encoding: 2), .consumerLoss(producer: 11, fraction: 200),
        ]
    }

    @Test func `every other message reads back as it was written`() {
        for message in Self.small {
            let bytes = encoded(message)
            #expect(bytes.count % 8 == 0)
            let read = bytes.withUnsafeBytes { ShardMessage(decoding: $0) }
            #expect(read.map { "\($0)" } == "\(message)")
        }
    }

    @Test func `a message cut anywhere is none, and neither is one of another version or kind`() {
        for bytes in [encodedPacket(packet)] + Self.small.map(encoded) {
            for length in 0..<bytes.count {
                #expect(bytes[..<length].withUnsafeBytes { ShardMessage(decoding: $0) } == nil)
            }
            for (offset, value) in [(0, UInt8(0)), (0, 10), (1, 0), (1, ShardMessage.version + 1)] {
                var other = bytes
                other[offset] = value
                #expect(other.withUnsafeBytes { ShardMessage(decoding: $0) } == nil)
            }
        }
    }

    @Test func `lengths, codecs and reasons that are not known are refused, whatever the bytes`() {
        var generator = SplitMix(seed: 7)
        var bytes = encodedPacket(packet)
        for _ in 0..<20_000 {
            let offset = Int.random(in: 0..<64, using: &generator)
            let old = bytes[offset]
            bytes[offset] = .random(in: 0...255, using: &generator)
            bytes.withUnsafeBytes { bytes in
                if case .packet(let packet, let template, let payload) = ShardMessage(decoding: bytes) {
                    #expect(8 + packet.encodedLength <= bytes.count)
                    #expect(template.count == Int(packet.headerLength) && payload.count == Int(packet.payloadLength))
                }
            }
            bytes[offset] = old
        }
        var request = encoded(Self.small[1])
        request[3] = 9
        #expect(request.withUnsafeBytes { ShardMessage(decoding: $0) } == nil)
    }

    @Test func `the format stays what it is`() {
        #expect(
            encoded(.keyFrameRequest(producer: 0x0102_0304_0506_0708, encoding: 3, .joining, isRenewal: true))
                == [4, 1, 0x83, 2, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1])
        let bytes = encodedPacket(packet, age: 258)
        #expect(bytes[..<8] == [2, 1, 0, 0, 2, 1, 0, 0])
        #expect(bytes[8..<16] == [0xF0, 0xDE, 0xBC, 0x9A, 0x78, 0x56, 0x34, 0x12])
        #expect(bytes[40..<48] == [0xEF, 0xBE, 0xAD, 0xDE, 36, 0, 9, 3])
        #expect(bytes[52..<64] == [1, 2, 3, 4, 5, 6, 9, 2, 101, 2, 1, 0])
        #expect(bytes.count == 8 + 56 + 36 + 777)
    }
}
