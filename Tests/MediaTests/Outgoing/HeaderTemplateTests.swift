import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Header templates and ring records")
struct HeaderTemplateTests {
    /// A packet with every extension a client may send, in its own numbering.
    private func makePacket(captureTime: Int) throws -> (bytes: [UInt8], ids: HeaderExtensionIDs) {
        var ids = HeaderExtensionIDs()
        ids[.mid] = 3
        ids[.rid] = 4
        ids[.absSendTime] = 5
        ids[.transportWideSequence] = 6
        ids[.audioLevel] = 7
        ids[.videoOrientation] = 8
        ids[.transmissionOffset] = 9
        ids[.absCaptureTime] = 10
        ids[.playoutDelay] = 11
        var buffer = [UInt8](repeating: 0xEE, count: 256)
        let length = try buffer.withUnsafeMutableBytes { bytes -> Int in
            var writer = try RTPHeaderWriter(
                into: bytes, payloadType: 96, hasMarker: true, sequenceNumber: SequenceNumber(77),
                timestamp: RTPTimestamp(4711), ssrc: SSRC(99))
            try writer.beginExtensions(.oneByte)
            try writer.appendExtension(id: ids[.mid], uint8: 0x30)
            try writer.appendExtension(id: ids[.rid], uint8: 0x68)
            try writer.appendExtension(id: ids[.absSendTime], uint24: 0x123456)
            try writer.appendExtension(id: ids[.transportWideSequence], uint16: 0x4242)
            try writer.appendExtension(id: ids[.audioLevel], uint8: 0x9E)
            try writer.appendExtension(id: ids[.videoOrientation], uint8: 3)
            try writer.appendExtension(id: ids[.transmissionOffset], uint24: 0xFF_FFF0)
            let time = (0..<captureTime).map { UInt8($0 + 1) }
            try time.withUnsafeBytes { _ = try writer.appendExtension(id: ids[.absCaptureTime], $0) }
            try writer.appendExtension(id: ids[.playoutDelay], uint24: 0x00_A0_14)
            return try writer.finish()
        }
        return (Array(buffer[..<length]) + [1, 2, 3], ids)
    }

    @Test(arguments: [8, 16]) func `what is passed on reads back under the router's ids`(captureTime: Int) throws {
        let (bytes, ids) = try makePacket(captureTime: captureTime)
        var template = [UInt8](repeating: 0xAA, count: HeaderTemplate.largestLength + 8)
        let length = try bytes.withUnsafeBytes { packet -> Int in
            let header = try RTPHeader(parsing: packet)
            return template.withUnsafeMutableBytes {
                HeaderTemplate.write(
                    to: $0.baseAddress!, header: header, payloadType: 101,
                    extensions: ReceivedExtensions(header, in: packet, ids: ids), in: packet)
            }
        }
        #expect(length <= HeaderTemplate.largestLength)
        #expect(length % 4 == 0)
        #expect(template[HeaderTemplate.largestLength...].allSatisfy { $0 == 0xAA })
        var router = HeaderExtensionIDs()
        router[.mid] = HeaderExtension.mid.routerID
        router[.rid] = HeaderExtension.rid.routerID
        router[.absSendTime] = HeaderExtension.absSendTime.routerID
        router[.transportWideSequence] = HeaderExtension.transportWideSequence.routerID
        router[.audioLevel] = HeaderExtension.audioLevel.routerID
        router[.videoOrientation] = HeaderExtension.videoOrientation.routerID
        router[.transmissionOffset] = HeaderExtension.transmissionOffset.routerID
        router[.absCaptureTime] = HeaderExtension.absCaptureTime.routerID
        router[.playoutDelay] = HeaderExtension.playoutDelay.routerID
        try template[..<length].withUnsafeBytes { packet in
            let header = try RTPHeader(parsing: packet)
            #expect(header.headerLength == length)
            #expect(header.payloadLength == 0)
            #expect(header.hasMarker)
            #expect(header.payloadType == 101)
            let read = ReceivedExtensions(header, in: packet, ids: router)
            #expect(read.audioLevel == AudioLevel(encoded: 0x9E))
            #expect(read.videoOrientation == 3)
            #expect(read.transmissionOffset == -16)
            #expect(read.playoutDelay?.encoded == 0xA014)
            #expect(read.absCaptureTime.map { Array(packet[$0]) } == (0..<captureTime).map { UInt8($0 + 1) })
            // Hop by hop: a consumer's own, or none.
            #expect(read.mid == nil)
            #expect(read.rid == nil)
            #expect(read.absSendTime == nil)
            #expect(read.transportWideSequence == nil)
        }
    }

    @Test func `a packet without extensions gives the shortest template`() throws {
        var template = [UInt8](repeating: 0xAA, count: HeaderTemplate.largestLength)
        let bytes: [UInt8] = [0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xFF]
        try bytes.withUnsafeBytes { packet in
            let header = try RTPHeader(parsing: packet)
            let length = template.withUnsafeMutableBytes {
                HeaderTemplate.write(
                    to: $0.baseAddress!, header: header, payloadType: 101, extensions: ReceivedExtensions(), in: packet)
            }
            #expect(length == HeaderTemplate.proxiedOffset)
        }
    }
}
