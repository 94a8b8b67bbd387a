import Testing

@testable import RoundhouseMedia

/// Packets by hand, checksums included: RFC 9260, 3758, 6525 and 8832 in bytes.
enum SCTPSamples {
    static let initiation = WireSamples.hex(
        """
        13881388 00000000 396c1279 0100001e 01020304 00500000 ffff ffff 000003e8
        c0000004 80080006 82c00000
        """)
    static let data = WireSamples.hex(
        "13881388 0a0b0c0d 383dbdc7 00030015 000003e8 0001 0000 00000033 68656c6c6f 000000")
    static let selectiveAck = WireSamples.hex(
        "13881388 01020304 67a466bd 03000018 000003e8 00500000 0001 0001 0002 0003 000003e7")
    static let reset = WireSamples.hex(
        "13881388 0a0b0c0d 21b9de3b 82000016 000d0012 000001f4 000001f3 000003eb 0001 0000")
    static let forward = WireSamples.hex("13881388 0a0b0c0d 85932500 c000000c 000003ed 0001 0007")
    static let open = WireSamples.hex("03 81 0100 00000003 0004 0000 63686174")

    static let packets = [initiation, data, selectiveAck, reset, forward]

    /// One chunk in a packet of ours.
    static func packet(
        tag: UInt32 = 1, _ body: (inout SCTPPacketWriter) throws(WireError) -> Void
    ) throws -> [UInt8] {
        let packet = SCTPPacketWriter.packet(limit: 1188, from: 5000, to: 5000, tag: tag, body)
        return try #require(packet)
    }

    /// The packet's first chunk, while its bytes are alive.
    static func withChunk<T>(_ packet: [UInt8], _ body: (SCTPChunkView) throws -> T) throws -> T {
        try packet.withUnsafeBytes { buffer in
            var reader = try SCTPPacketReader(parsing: buffer)
            let chunk = reader.next()
            return try body(try #require(chunk))
        }
    }

    /// Everything that there is to read in a packet, whatever it is.
    static func readAll(_ buffer: UnsafeRawBufferPointer) {
        guard var reader = try? SCTPPacketReader(parsing: buffer) else { return }
        _ = reader.hasValidChecksum
        while let chunk = reader.next() {
            _ = try? SCTPInitiation(parsing: chunk)
            if let ack = try? SCTPSelectiveAck(parsing: chunk) {
                for (block, next) in zip(ack.cleanedBlocks, ack.cleanedBlocks.dropFirst()) {
                    #expect(block.start > 0 && block.start <= block.end && block.end < next.start)
                }
            }
            _ = try? SCTPForwardTSN(parsing: chunk)
            _ = try? SCTPReconfiguration(parsing: chunk)
            _ = SCTPErrorCause.isPresent(SCTPErrorCause.staleCookie, in: chunk)
            var payload = chunk.value
            _ = try? SCTPDataHeader(parsing: chunk, payload: &payload)
        }
    }
}

@Suite("SCTP's packets")
struct SCTPWireTests {
    @Test(
        arguments: [
            ("313233343536373839", 0xE306_9283),
            (String(repeating: "00", count: 32), 0x8A91_36AA),
            (String(repeating: "ff", count: 32), 0x62A8_AB43),
            ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0x46DD_794E),
            ("1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100", 0x113F_DB5C),
        ] as [(String, UInt32)])
    func `checksums are those of RFC 3720 B4, with the processor's instruction and without`(
        bytes: String, sum: UInt32
    ) {
        WireSamples.hex(bytes).withUnsafeBytes {
            #expect(CRC32C.checksum($0) == sum)
            #expect(CRC32C.portableChecksum($0) == sum)
        }
    }

    @Test func `both ways to the checksum agree at every length and offset`() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 3) }
        bytes.withUnsafeBytes { buffer in
            for start in 0..<9 {
                for end in start..<100 {
                    let part = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                    #expect(CRC32C.checksum(part) == CRC32C.portableChecksum(part))
                }
            }
        }
    }

    @Test(arguments: SCTPSamples.packets) func `sample packets have valid checksums, and none that is damaged has`(
        packet: [UInt8]
    ) throws {
        let isValid = try packet.withUnsafeBytes { try SCTPPacketReader(parsing: $0).hasValidChecksum }
        #expect(isValid)
        for bit in [0, 40, 64, 95, 8 * packet.count - 1] {
            var damaged = packet
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            damaged.withUnsafeBytes { buffer in
                if let reader = try? SCTPPacketReader(parsing: buffer) { #expect(!reader.hasValidChecksum) }
            }
        }
    }

    @Test func `INIT is read, and written as it was`() throws {
        let initiation = try SCTPSamples.withChunk(SCTPSamples.initiation) { try SCTPInitiation(parsing: $0) }
        #expect(initiation.tag == 0x0102_0304 && initiation.window == 5_242_880)
        #expect(initiation.outgoingStreams == 65_535 && initiation.incomingStreams == 65_535)
        #expect(initiation.initialTSN == TSN(1000))
        #expect(initiation.capabilities == [.partialReliability, .reconfiguration])
        let written = try SCTPSamples.packet(tag: 0) { (writer) throws(WireError) in
            try initiation.write(.initiation, into: &writer)
        }
        #expect(written == SCTPSamples.initiation)
    }

    @Test func `INIT ACK carries the cookie, and what was not known in INIT`() throws {
        var initiation = SCTPInitiation(
            tag: 7, window: 65_536, outgoingStreams: 10, incomingStreams: 20, initialTSN: TSN(5),
            capabilities: [.partialReliability, .reconfiguration, .interleaving, .zeroChecksum])
        initiation.cookie = [1, 2, 3, 4, 5]
        initiation.unrecognized = WireSamples.hex("c0aa0005 99 000000")
        let packet = try SCTPSamples.packet { (writer) throws(WireError) in
            try initiation.write(.initiationAck, into: &writer)
        }
        let read = try SCTPSamples.withChunk(packet) { try SCTPInitiation(parsing: $0) }
        #expect(read.cookie == initiation.cookie && read.capabilities == initiation.capabilities)
        let report = WireSamples.hex("00080009 c0aa0005 99 000000")
        #expect(packet.indices.contains { packet[$0...].starts(with: report) })
    }

    /// RFC 9260 §3.2.1: the two highest bits say what to do with a parameter that nobody knows.
    @Test(
        arguments: [
            (0x0099, false, false), (0x4099, false, true), (0x8099, true, false), (0xC099, true, true),
        ] as [(UInt16, Bool, Bool)])
    func `an unknown parameter ends the list or not, and is reported or not, as its type says`(
        type: UInt16, goesOn: Bool, isReported: Bool
    ) throws {
        let packet = try SCTPSamples.packet { (writer) throws(WireError) in
            try writer.beginChunk(.initiation)
            for word in [9, 100_000] as [UInt32] { try writer.writeUInt32(word) }
            for half in [1, 1] as [UInt16] { try writer.writeUInt16(half) }
            try writer.writeUInt32(77)
            let start = try writer.beginParameter(type)
            try writer.writeUInt8(5)
            try writer.endParameter(start)
            try writer.endParameter(try writer.beginParameter(SCTPParameterType.forwardTSNSupported))
            try writer.endChunk()
        }
        let read = try SCTPSamples.withChunk(packet) { try SCTPInitiation(parsing: $0) }
        #expect(read.capabilities.contains(.partialReliability) == goesOn)
        #expect(read.unrecognized.isEmpty == !isReported)
    }

    @Test(arguments: [0, 12, 14]) func `INIT without a tag or without streams is malformed`(offset: Int) throws {
        var packet = SCTPSamples.initiation
        for index in 0..<(offset == 0 ? 4 : 2) { packet[16 + offset + index - (offset == 0 ? 0 : 4)] = 0 }
        #expect(throws: WireError.malformed) {
            try SCTPSamples.withChunk(packet) { _ = try SCTPInitiation(parsing: $0) }
        }
    }

    @Test func `DATA is read, and written as it was`() throws {
        let (header, payload) = try SCTPSamples.withChunk(SCTPSamples.data) { chunk in
            var payload = chunk.value
            let header = try SCTPDataHeader(parsing: chunk, payload: &payload)
            return (header, Array(payload))
        }
        #expect(header.tsn == TSN(1000) && header.stream == 1 && header.number == 0)
        #expect(header.payloadProtocol == .string && header.flags == [.beginning, .end] && !header.isInterleaved)
        #expect(payload == Array("hello".utf8))
        let written = try SCTPSamples.packet(tag: 0x0A0B_0C0D) { (writer) throws(WireError) in
            try header.write(payload, 0..<payload.count, into: &writer)
        }
        #expect(written == SCTPSamples.data)
    }

    @Test(arguments: [true, false])
    func `the first fragment of I-DATA says what the message is, the others their place`(
        isFirst: Bool
    ) throws {
        let header = SCTPDataHeader(
            isInterleaved: true, tsn: TSN(3), stream: 4, number: 70_000, fragment: isFirst ? 0 : 9,
            payloadProtocol: PayloadProtocol(rawValue: isFirst ? 53 : 0), flags: isFirst ? .beginning : .end)
        let packet = try SCTPSamples.packet { (writer) throws(WireError) in
            try header.write([1, 2, 3], 1..<3, into: &writer)
        }
        try SCTPSamples.withChunk(packet) { chunk in
            var payload = chunk.value
            let read = try SCTPDataHeader(parsing: chunk, payload: &payload)
            #expect(read == header && Array(payload) == [2, 3])
        }
    }

    @Test func `SACK is read, and written as it was`() throws {
        let ack = try SCTPSamples.withChunk(SCTPSamples.selectiveAck) { try SCTPSelectiveAck(parsing: $0) }
        #expect(ack.cumulative == TSN(1000) && ack.window == 5_242_880)
        #expect(ack.blocks == [SCTPSelectiveAck.Block(start: 2, end: 3)] && ack.duplicates == [TSN(999)])
        let written = try SCTPSamples.packet(tag: 0x0102_0304) { (writer) throws(WireError) in
            try ack.write(into: &writer)
        }
        #expect(written == SCTPSamples.selectiveAck)
    }

    @Test func `gap blocks out of order, overlapping or upside down are put in order`() {
        typealias Block = SCTPSelectiveAck.Block
        let ack = SCTPSelectiveAck(
            cumulative: TSN(1), window: 0,
            blocks: [
                Block(start: 9, end: 12), Block(start: 2, end: 3), Block(start: 8, end: 5), Block(start: 4, end: 5),
                Block(start: 0, end: 0), Block(start: 11, end: 20),
            ])
        #expect(ack.cleanedBlocks == [Block(start: 2, end: 5), Block(start: 9, end: 20)])
    }

    @Test func `FORWARD-TSN and I-FORWARD-TSN are read as they were written`() throws {
        let sample = try SCTPSamples.withChunk(SCTPSamples.forward) { try SCTPForwardTSN(parsing: $0) }
        #expect(sample.cumulative == TSN(1005))
        #expect(sample.skipped == [SCTPForwardTSN.Skipped(stream: 1, isUnordered: false, number: 7)])
        for isInterleaved in [false, true] {
            let forward = SCTPForwardTSN(
                isInterleaved: isInterleaved, cumulative: TSN(8),
                skipped: (0..<5 as Range<UInt16>).map { stream in
                    let isUnordered = isInterleaved && stream % 2 == 1
                    return SCTPForwardTSN.Skipped(
                        stream: stream, isUnordered: isUnordered, number: UInt32(stream) + 60)
                })
            let packet = try SCTPSamples.packet { (writer) throws(WireError) in try forward.write(into: &writer) }
            #expect(try SCTPSamples.withChunk(packet) { try SCTPForwardTSN(parsing: $0) } == forward)
        }
    }

    @Test func `every request and response of RE-CONFIG is read as it was written`() throws {
        let sample = try SCTPSamples.withChunk(SCTPSamples.reset) { try SCTPReconfiguration(parsing: $0) }
        #expect(
            sample.parameters == [
                .outgoingReset(request: TSN(500), response: TSN(499), lastAssigned: TSN(1003), streams: [1])
            ])
        for parameters in [
            [.outgoingReset(request: TSN(1), response: TSN(2), lastAssigned: TSN(3), streams: [])],
            [.response(request: TSN(4), result: .inProgress), .incomingReset(request: TSN(5), streams: [6, 7])],
            [.tsnReset(request: TSN(8))],
            [.addOutgoingStreams(request: TSN(9), count: 10), .addIncomingStreams(request: TSN(11), count: 12)],
        ] as [[SCTPReconfiguration.Parameter]] {
            let packet = try SCTPSamples.packet { (writer) throws(WireError) in
                try SCTPReconfiguration(parameters).write(into: &writer)
            }
            let read = try SCTPSamples.withChunk(packet) { try SCTPReconfiguration(parsing: $0) }
            #expect(read.parameters == parameters)
        }
    }

    @Test(
        arguments: [
            ("01", .truncated), ("00000002", .malformed), ("00000003", .malformed), ("00000009 00000000", .truncated),
            ("", .malformed),
        ] as [(String, WireError)])
    func `a chunk that ends behind its packet, or before its own header, spoils the packet`(
        chunks: String, error: WireError
    ) {
        let packet = Array(SCTPSamples.data.prefix(12)) + WireSamples.hex(chunks)
        #expect(throws: error) { try packet.withUnsafeBytes { _ = try SCTPPacketReader(parsing: $0) } }
    }

    @Test func `the last chunk's padding may be missing`() throws {
        let packet = Array(SCTPSamples.data.dropLast(3))
        try SCTPSamples.withChunk(packet) { #expect($0.value.count == 17) }
    }

    @Test func `a packet of nothing but empty chunks is read to a bound`() {
        let packet = Array(SCTPSamples.data.prefix(12)) + (0..<301).flatMap { _ in [0x84, 0, 0, 4] as [UInt8] }
        #expect(throws: WireError.tooLarge) { try packet.withUnsafeBytes { _ = try SCTPPacketReader(parsing: $0) } }
    }

    @Test func `no cut packet is read as a whole one`() throws {
        for packet in SCTPSamples.packets {
            WireSamples.forEachTruncation(of: packet) { buffer in
                if let reader = try? SCTPPacketReader(parsing: buffer) { #expect(!reader.hasValidChecksum) }
                SCTPSamples.readAll(buffer)
            }
        }
    }

    @Test func `damaged packets are read or refused, and never trap`() {
        WireSamples.fuzz(SCTPSamples.packets) { SCTPSamples.readAll($0) }
    }

    // MARK: Channels

    @Test func `DATA_CHANNEL_OPEN is read, and written as it was`() throws {
        let open = try DataChannelOpen(parsing: SCTPSamples.open)
        let expected = DataChannelOpen(
            label: "chat", isOrdered: false, reliability: .retransmissions(3), priority: 256)
        #expect(open == expected && open.bytes == SCTPSamples.open)
        for reliability in [SCTPReliability.reliable, .lifetime(.milliseconds(2000)), .retransmissions(0)] {
            let open = DataChannelOpen(label: "ä", subprotocol: "p", reliability: reliability, priority: 1024)
            #expect(try DataChannelOpen(parsing: open.bytes) == open)
        }
    }

    @Test func `DATA_CHANNEL_OPEN with a wrong length, kind or text is refused`() throws {
        for count in 0..<SCTPSamples.open.count {
            #expect(throws: WireError.truncated) { try DataChannelOpen(parsing: Array(SCTPSamples.open[..<count])) }
        }
        for (offset, value) in [(1, 0x05 as UInt8), (12, 0xFF), (9, 3)] {
            var damaged = SCTPSamples.open
            damaged[offset] = value
            #expect(throws: WireError.malformed) { try DataChannelOpen(parsing: damaged) }
        }
        #expect(throws: WireError.unexpectedType) { try DataChannelOpen(parsing: [2]) }
    }
}
