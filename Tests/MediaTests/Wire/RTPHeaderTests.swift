import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("RTP headers")
struct RTPHeaderTests {
    /// Two CSRCs, a one-byte block (1: "ab", padding, 4: three bytes), payload "hello", three bytes of padding.
    static let sample = WireSamples.hex(
        """
        b2 e0 1234 00010203 0a0b0c0d 11111111 22222222
        bede 0002 11 6162 00 42 010203
        68656c6c6f 000003
        """)

    @Test func `every field is where RFC 3550 puts it`() throws {
        let header = try Self.sample.withUnsafeBytes { try RTPHeader(parsing: $0) }
        #expect(header.hasMarker)
        #expect(header.payloadType == 96)
        #expect(header.sequenceNumber == SequenceNumber(0x1234))
        #expect(header.timestamp == RTPTimestamp(0x0001_0203))
        #expect(header.ssrc == SSRC(0x0A0B_0C0D))
        #expect(header.csrcCount == 2)
        #expect(header.extensionProfile == 0xBEDE)
        #expect(header.extensionOffset == 24)
        #expect(header.extensionLength == 8)
        #expect(header.headerLength == 32)
        #expect(header.payload == 32..<37)
        #expect(header.paddingLength == 3)
    }

    @Test func `the last byte of an encrypted packet is not a padding count`() throws {
        var bytes = Self.sample
        bytes[bytes.count - 1] = 0xFF
        _ = try bytes.withUnsafeBytes { buffer in
            #expect(throws: WireError.malformed) { try RTPHeader(parsing: buffer) }
            let header = try RTPHeader(parsingEncrypted: buffer)
            #expect(header.hasPadding)
            #expect(header.paddingLength == 0)
            #expect(header.payloadLength == 8)
        }
    }

    @Test func `padding of zero or longer than the rest is malformed; padding alone is a packet`() throws {
        let fixed = WireSamples.hex("a0 60 0001 00000000 00000001")
        for (rest, length) in [([UInt8]([0]), nil), ([2], nil), ([1], 1), ([0, 0, 3], 3), ([], nil)]
            as [([UInt8], Int?)]
        {
            (fixed + rest).withUnsafeBytes { buffer in
                let header = try? RTPHeader(parsing: buffer)
                #expect(header?.paddingLength == length)
                #expect(header == nil || header?.payloadLength == 0)
            }
        }
    }

    @Test func `another version is refused`() {
        var bytes = Self.sample
        bytes[0] = 0x40
        _ = bytes.withUnsafeBytes { buffer in
            #expect(throws: WireError.unsupportedVersion) { try RTPHeader(parsing: buffer) }
        }
    }

    @Test func `a header cut anywhere is truncated`() {
        WireSamples.forEachTruncation(of: Array(Self.sample[..<32])) { buffer in
            #expect(throws: WireError.truncated) { try RTPHeader(parsingEncrypted: buffer) }
        }
    }

    @Test(arguments: [RTPExtensionForm.oneByte, .twoByte])
    func `a written header parses to the same fields`(form: RTPExtensionForm) throws {
        var length = 0
        var midRange = 0..<0
        var bytes = [UInt8](repeating: 0xEE, count: 200)
        try bytes.withUnsafeMutableBytes { buffer in
            var writer = try RTPHeaderWriter(
                into: buffer, payloadType: 111, hasMarker: true, sequenceNumber: SequenceNumber(65535),
                timestamp: RTPTimestamp(.max), ssrc: SSRC(7))
            try writer.beginExtensions(form)
            midRange = try Array("mid".utf8).withUnsafeBytes { try writer.appendExtension(id: 1, $0) }
            try writer.appendExtension(id: 2, uint8: 0x85)
            try writer.appendExtension(id: 3, uint16: 0xABCD)
            try writer.appendExtension(id: 14, uint24: 0x123456)
            length = try writer.finish()
        }
        try bytes[..<(length + 4)].withUnsafeBytes { buffer in
            let header = try RTPHeader(parsing: buffer)
            #expect(header.hasMarker && header.payloadType == 111 && header.sequenceNumber.rawValue == 65535)
            #expect(header.timestamp.rawValue == .max && header.ssrc == SSRC(7))
            #expect(header.headerLength == length && length % 4 == 0 && header.payloadLength == 4)
            var ids = HeaderExtensionIDs()
            (ids[.mid], ids[.audioLevel], ids[.transportWideSequence], ids[.absSendTime]) = (1, 2, 3, 14)
            let found = ReceivedExtensions(header, in: buffer, ids: ids)
            #expect(found.mid == midRange && found.mid.map { Array(buffer[$0]) } == Array("mid".utf8))
            #expect(found.audioLevel == AudioLevel(level: 5, hasVoice: true))
            #expect(found.transportWideSequence == 0xABCD)
            #expect(found.absSendTime == 0x123456)
        }
    }

    @Test func `the writer refuses what a form cannot say`() throws {
        var bytes = [UInt8](repeating: 0, count: 64)
        try bytes.withUnsafeMutableBytes { buffer in
            func begin(_ form: RTPExtensionForm?) throws -> RTPHeaderWriter {
                var writer = try RTPHeaderWriter(
                    into: buffer, payloadType: 0, hasMarker: false, sequenceNumber: SequenceNumber(0),
                    timestamp: RTPTimestamp(0), ssrc: SSRC(0))
                if let form { try writer.beginExtensions(form) }
                return writer
            }
            var writer = try begin(.oneByte)
            let long = [UInt8](repeating: 0, count: 17)
            #expect(throws: WireError.malformed) { try writer.appendExtension(id: 15, uint8: 0) }
            #expect(throws: WireError.malformed) { try writer.appendExtension(id: 0, uint8: 0) }
            #expect(throws: WireError.malformed) {
                try long.withUnsafeBytes { try writer.appendExtension(id: 1, $0) }
            }
            writer = try begin(.twoByte)
            _ = try long.withUnsafeBytes { try writer.appendExtension(id: 255, $0) }
            writer = try begin(nil)
            #expect(throws: WireError.malformed) { try writer.appendExtension(id: 1, uint8: 0) }
            #expect(try writer.finish() == 12)
        }
    }
}

@Suite("RTP header extensions")
struct RTPExtensionTests {
    /// The elements of a block with this profile and content.
    private func elements(profile: UInt16, _ content: String) throws -> [UInt8: [UInt8]] {
        let block = WireSamples.hex(content)
        let head = try WireSamples.written { (writer) throws(WireError) in
            for byte in WireSamples.hex("90 60 0001 00000000 00000001") { try writer.writeUInt8(byte) }
            try writer.writeUInt16(profile)
            try writer.writeUInt16(UInt16(block.count / 4))
        }
        return try (head + block).withUnsafeBytes { buffer in
            let header = try RTPHeader(parsing: buffer)
            var iterator = RTPExtensionIterator(header, in: buffer)
            var found: [UInt8: [UInt8]] = [:]
            while let (id, range) = iterator.next() { found[id] = Array(buffer[range]) }
            return found
        }
    }

    @Test func `one-byte elements stand between padding bytes`() throws {
        #expect(
            try elements(profile: 0xBEDE, "00 10 aa 00 22 010203 e0 bb 00 00") == [
                1: [0xAA], 2: [1, 2, 3], 14: [0xBB],
            ])
    }

    @Test func `ID 15 ends one-byte processing`() throws {
        #expect(try elements(profile: 0xBEDE, "10 aa f0 00 20 bb 00 00") == [1: [0xAA]])
    }

    @Test func `ID 0 with a length ends one-byte processing`() throws {
        #expect(try elements(profile: 0xBEDE, "10 aa 01 00 20 bb 00 00") == [1: [0xAA]])
    }

    @Test func `two-byte elements may be empty, and padding is one byte`() throws {
        #expect(
            try elements(profile: 0x1000, "01 00 00 0f 02 0102 f0 01 ff 00 00") == [1: [], 15: [1, 2], 240: [0xFF]])
        #expect(try elements(profile: 0x100F, "01 01 aa 00") == [1: [0xAA]], "the application's bits do not count")
    }

    @Test func `an element beyond the block ends processing, and what came before counts`() throws {
        #expect(try elements(profile: 0xBEDE, "10 aa 2f bb") == [1: [0xAA]])
        #expect(try elements(profile: 0xBEDE, "00 10 aa 20 00 00 21 bb") == [1: [0xAA], 2: [0]], "by one byte")
        #expect(try elements(profile: 0x1000, "01 01 aa 02") == [1: [0xAA]])
        #expect(try elements(profile: 0x1000, "01 01 aa 00 02 05 00 00") == [1: [0xAA]])
    }

    @Test func `a block of another profile has no elements`() throws {
        #expect(try elements(profile: 0xABCD, "10 aa 00 00").isEmpty)
        #expect(try elements(profile: 0xBEDE, "").isEmpty)
    }

    @Test func `one pass finds every known extension and skips wrong lengths`() throws {
        var ids = HeaderExtensionIDs()
        (ids[.mid], ids[.rid], ids[.repairedRID], ids[.absSendTime], ids[.transportWideSequence]) = (1, 2, 3, 4, 5)
        (ids[.audioLevel], ids[.dependencyDescriptor], ids[.videoOrientation]) = (6, 7, 8)
        (ids[.transmissionOffset], ids[.absCaptureTime], ids[.playoutDelay]) = (9, 10, 11)
        let bytes = WireSamples.hex(
            """
            90 60 0001 00000000 00000001 bede 000a
            10 30 20 68 30 71 42 010203 51 0405 60 ff 71 aabb 80 03 92 ffffff a7 0102030405060708 b2 00a123 000000
            """)
        try bytes.withUnsafeBytes { buffer in
            let found = ReceivedExtensions(try RTPHeader(parsing: buffer), in: buffer, ids: ids)
            #expect(found.mid.map { Array(buffer[$0]) } == [0x30])
            #expect(found.rid.map { Array(buffer[$0]) } == [0x68])
            #expect(found.repairedRID.map { Array(buffer[$0]) } == [0x71])
            #expect(found.absSendTime == 0x010203)
            #expect(found.transportWideSequence == 0x0405)
            #expect(found.audioLevel == AudioLevel(level: 127, hasVoice: true))
            #expect(found.dependencyDescriptor.map { Array(buffer[$0]) } == [0xAA, 0xBB])
            #expect(found.videoOrientation == 3)
            #expect(found.transmissionOffset == -1)
            #expect(found.absCaptureTime?.count == 8)
            #expect(found.playoutDelay == PlayoutDelay(minimum: 0x00A, maximum: 0x123))
            #expect(found.playoutDelay?.encoded == 0x00A123)
            (ids[.transportWideSequence], ids[.absSendTime], ids[.mid]) = (6, 5, 0)
            let wrong = ReceivedExtensions(try RTPHeader(parsing: buffer), in: buffer, ids: ids)
            #expect(wrong.transportWideSequence == nil && wrong.absSendTime == nil && wrong.mid == nil)
        }
    }
}

@Suite("NTP time")
struct NTPTimestampTests {
    @Test func `Unix time becomes NTP time, with the fraction in 2⁻³² s`() {
        #expect(NTPTimestamp(unixNanoseconds: 0).rawValue == 2_208_988_800 << 32)
        #expect(NTPTimestamp(unixNanoseconds: 1_500_000_000).rawValue == 0x83AA_7E81_8000_0000)
        #expect(NTPTimestamp(rawValue: 0x1122_3344_5566_7788).compact == 0x3344_5566)
        #expect(NTPTimestamp(unixNanoseconds: .max).compact != 0, "2036 and later wrap, and do not trap")
    }

    @Test func `compact durations round-trip within a unit, and saturate`() {
        #expect(NTPTimestamp.compactDuration(nanoseconds: 1_000_000_000) == 65536)
        #expect(NTPTimestamp.compactDuration(nanoseconds: -5) == 0)
        #expect(NTPTimestamp.compactDuration(nanoseconds: .max) == .max)
        let back = NTPTimestamp.nanoseconds(
            compactDuration: NTPTimestamp.compactDuration(nanoseconds: 123_456_789))
        #expect(abs(back - 123_456_789) < 15_259)
        #expect(NTPTimestamp.nanoseconds(compactDuration: .max) == 65_535_999_984_741)
    }
}
