import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite struct DependencyDescriptorRewriterTests {
    private static let wanted = HeaderExtension.dependencyDescriptor.routerID

    /// A packet with a dependency descriptor of so many bytes, its frame number 0x1234, and an orientation behind it.
    private func template(_ descriptorLength: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 400)
        var ids = HeaderExtensionIDs()
        ids[.dependencyDescriptor] = 4
        ids[.videoOrientation] = 5
        let descriptor: [UInt8] = [0xC3, 0x12, 0x34] + (3..<descriptorLength).map { UInt8(truncatingIfNeeded: $0) }
        let length = try buffer.withUnsafeMutableBytes { bytes -> Int in
            var writer = try RTPHeaderWriter(
                into: bytes, payloadType: 45, hasMarker: false, sequenceNumber: SequenceNumber(1),
                timestamp: RTPTimestamp(2), ssrc: SSRC(3))
            try writer.beginExtensions(.twoByte)
            try descriptor.withUnsafeBytes { _ = try writer.appendExtension(id: ids[.dependencyDescriptor], $0) }
            try writer.appendExtension(id: ids[.videoOrientation], uint8: 2)
            return try writer.finish()
        }
        let packet = Array(buffer[..<length]) + [9]
        var template = [UInt8](repeating: 0, count: HeaderTemplate.largestLength)
        let written = try packet.withUnsafeBytes { packet -> Int in
            let header = try RTPHeader(parsing: packet)
            return template.withUnsafeMutableBytes {
                HeaderTemplate.write(
                    to: $0.baseAddress!, header: header, payloadType: 45,
                    extensions: ReceivedExtensions(header, in: packet, ids: ids), in: packet, hasDescriptor: true)
            }
        }
        return Array(template[..<written])
    }

    /// Puts in what a shard patches, as `Shard.writeHeader` does, and finishes the header.
    private func finished(_ template: [UInt8], _ forwarding: inout DependencyDescriptorRewriter) -> [UInt8] {
        var header = template
        header.replaceSubrange(16..<20, with: [HeaderExtension.absSendTime.routerID << 4 | 2, 0xA, 0xB, 0xC])
        header.replaceSubrange(20..<23, with: [HeaderExtension.transportWideSequence.routerID << 4 | 1, 0xD, 0xE])
        header.replaceSubrange(23..<32, with: [HeaderExtension.mid.routerID << 4 | 7] + Array("12345678".utf8))
        #expect(template.withUnsafeBytes { DependencyDescriptorRewriter.isIn($0) })
        header.withUnsafeMutableBytes { forwarding.finish($0) }
        return header
    }

    /// The elements of a header by id.
    private func elements(_ header: [UInt8]) throws -> [UInt8: [UInt8]] {
        let packet = header + [9]
        return try packet.withUnsafeBytes { packet in
            var found: [UInt8: [UInt8]] = [:]
            var iterator = RTPExtensionIterator(try RTPHeader(parsing: packet), in: packet)
            while let (id, range) = iterator.next() { found[id] = Array(packet[range]) }
            return found
        }
    }

    @Test(arguments: [3, 16, 17, 90, 200])
    func `a client that wants it gets it beside everything else`(length: Int) throws {
        var forwarding = DependencyDescriptorRewriter(isWanted: true)
        let found = try elements(finished(template(length), &forwarding))
        #expect(found[Self.wanted]?.count == length)
        #expect(found[Self.wanted]?.prefix(3) == [0xC3, 0x12, 0x34])
        #expect(found[HeaderExtension.absSendTime.routerID] == [0xA, 0xB, 0xC])
        #expect(found[HeaderExtension.transportWideSequence.routerID] == [0xD, 0xE])
        #expect(found[HeaderExtension.mid.routerID] == Array("12345678".utf8))
        #expect(found[HeaderExtension.videoOrientation.routerID] == [2])
    }

    @Test(arguments: [3, 16, 17, 90])
    func `everybody else gets padding in its place`(length: Int) throws {
        var forwarding = DependencyDescriptorRewriter(isWanted: false)
        let found = try elements(finished(template(length), &forwarding))
        #expect(found[Self.wanted] == nil)
        #expect(found[HeaderExtension.mid.routerID] == Array("12345678".utf8))
        #expect(found[HeaderExtension.videoOrientation.routerID] == [2])
    }

    @Test(arguments: [201, 255]) func `one that is too long is left out`(length: Int) throws {
        let template = try template(length)
        #expect(!template.withUnsafeBytes { DependencyDescriptorRewriter.isIn($0) })
    }

    @Test func `frame numbers continue when the source changes`() throws {
        var forwarding = DependencyDescriptorRewriter(isWanted: true)
        func number(_ frame: UInt16) throws -> UInt16 {
            var template = try template(20)
            template[39] = UInt8(frame >> 8)
            template[40] = UInt8(frame & 0xFF)
            let bytes = try #require(try elements(finished(template, &forwarding))[Self.wanted])
            return UInt16(bytes[1]) << 8 | UInt16(bytes[2])
        }
        forwarding.sourceChanged()
        #expect(try number(65_535) == 65_535, "nothing was sent before")
        #expect(try number(0) == 0)
        #expect(try number(65_534) == 65_534, "a retransmission")
        forwarding.sourceChanged()
        #expect(try number(500) == 1)
        #expect(try number(502) == 3)
    }

    @Test func `a client's own numbers are put into a two-byte block too`() throws {
        var ids = HeaderExtensionIDs()
        ids[.dependencyDescriptor] = 11
        ids[.mid] = 12
        let renumbering = HeaderIDRewriter(ConsumerIDMapping(payloadTypes: [45: 99], headerExtensions: ids))
        defer { renumbering.deallocate() }
        var forwarding = DependencyDescriptorRewriter(isWanted: true)
        var header = finished(try template(90), &forwarding)
        header.withUnsafeMutableBytes { renumbering.apply(to: $0) }
        #expect(header[1] & 0x7F == 99)
        let found = try elements(header)
        #expect(found[11]?.count == 90)
        #expect(found[12] == Array("12345678".utf8))
        #expect(Set(found.keys) == [11, 12])
    }
}
