import Testing

@testable import RoundhouseMedia

@Suite struct DependencyDescriptorRewriterSnapshotTests {
    @Test func `frame numbers go on`() throws {
        try SnapshotScript(DependencyDescriptorRewriter(isWanted: true)) { forwarding, index, random, _ in
            if random.isOne(in: 9) { forwarding.sourceChanged() }
            let frame = UInt16(truncatingIfNeeded: 65_500 + index - random.below(4) + index / 100 * 7000)
            var header = [UInt8](repeating: 0, count: 40)
            header[HeaderTemplate.proxiedOffset] = HeaderExtension.dependencyDescriptor.routerID << 4 | 3
            header[HeaderTemplate.proxiedOffset + 2] = UInt8(frame >> 8)
            header[HeaderTemplate.proxiedOffset + 3] = UInt8(frame & 0xFF)
            // One that is too short to have a number now and then.
            if random.isOne(in: 20) { header[HeaderTemplate.proxiedOffset] &= 0xF1 }
            header.withUnsafeMutableBytes { forwarding.finish($0) }
            return "\(header[HeaderTemplate.proxiedOffset...])"
        }.check()
    }

    @Test(arguments: [false, true]) func `a client gets no more and no less than it negotiated`(isWanted: Bool) throws {
        var writer = SnapshotWriter()
        DependencyDescriptorRewriter(isWanted: isWanted).write(to: &writer)
        #expect(writer.bytes == [isWanted ? 1 : 0, 0, 0, 0, 0, 0, 0])
        var reader = SnapshotReader(writer.bytes)
        #expect(try DependencyDescriptorRewriter(restoring: &reader).isWanted == isWanted)
    }
}
