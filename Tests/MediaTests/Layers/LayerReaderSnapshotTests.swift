import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Readers of layers, written down and restored")
struct LayerReaderSnapshotTests {
    private struct Packet {
        var payload: [UInt8]
        var descriptor: [UInt8]
    }

    private static func packets(_ video: LayeredVideo) -> [Packet] {
        var pictures = LayeredVideo.Pictures()
        var packets: [Packet] = []
        while packets.count < 300 {
            for frame in video.nextPicture(&pictures, isKey: packets.count % 37 == 0) {
                packets.append(
                    Packet(
                        payload: video.prefix(of: frame, isFirst: true, isLast: true) + [1, 2, 3],
                        descriptor: video.descriptor(of: frame, isFirst: true, isLast: true)))
            }
        }
        return packets
    }

    private static let videos = [
        LayeredVideo(codec: .vp8, temporalLayers: 3, usesDescriptorOnly: true),
        LayeredVideo(codec: .vp9, spatialLayers: 3, temporalLayers: 3, isKSVC: true),
        LayeredVideo(codec: .av1, spatialLayers: 3, temporalLayers: 2),
        LayeredVideo(codec: .h264, temporalLayers: 3),
    ]

    @Test(arguments: videos.indices) func `what explains a stream's packets goes on explaining them`(video: Int) throws
    {
        let video = Self.videos[video]
        let packets = Self.packets(video)
        let make = { LayerReader(codec: video.codec, isKSVC: video.isKSVC) }
        try SnapshotScript(make()) { reader, index, random, _ in
            // Some come late, and some are damaged.
            let place = max(index - (random.isOne(in: 4) ? random.below(12) : 0), 0)
            var packet = packets[place]
            if random.isOne(in: 20), !packet.descriptor.isEmpty { packet.descriptor.removeLast() }
            if random.isOne(in: 100) { reader.reset() }
            let layers = packet.payload.withUnsafeBytes { payload in
                packet.descriptor.withUnsafeBytes { descriptor in
                    reader.read(payload: payload, descriptor: descriptor, sequence: UInt64(70_000 + place))
                }
            }
            return "\(layers) \(reader.failures) \(reader.codec)"
        }.check()
    }

    @Test func `every codec has a number of its own`() throws {
        let codecs: [CodecKind] = [.other, .opus, .vp8, .vp9, .h264, .h265, .av1]
        for (number, codec) in codecs.enumerated() {
            var writer = SnapshotWriter()
            writer.write(codec)
            #expect(writer.bytes == [UInt8(number)])
            var reader = SnapshotReader(writer.bytes)
            #expect(try CodecKind(restoring: &reader) == codec)
        }
        #expect(throws: WireError.malformed) {
            var reader = SnapshotReader([7])
            _ = try CodecKind(restoring: &reader)
        }
    }

    @Test func `a structure goes on with its chains, resolutions and active targets`() throws {
        try SnapshotScript(steps: 290, countOffset: 22, DependencyDescriptorDecoder()) { decoder, index, random, _ in
            var writer = DescriptorWriter()
            writer.frameNumber = index
            writer.decodeTargets = 6
            writer.templateID = (random.below(9) + 60) % 64
            if index % 30 == 0 { writer.structure = .l3t2Key(offset: 60) }
            if random.isOne(in: 8) { writer.activeDecodeTargets = UInt32(random.below(63) + 1) }
            if random.isOne(in: 120), index > 110 { decoder.reset() }
            let sequence = UInt64(70_000 + index - (random.isOne(in: 6) ? random.below(40) : 0))
            let said: String
            do {
                let bytes = writer.bytes
                let descriptor = try bytes.withUnsafeBytes { try decoder.decode($0, sequence: sequence) }
                let differences = (0..<descriptor.frameDifferences.count).map { descriptor.frameDifferences[$0] }
                let chains = (0..<descriptor.chainCount).map { descriptor.chainDifferences[$0] }
                said =
                    "\(decoder.layerMasks(of: descriptor, sequence: sequence)) \(descriptor.indications)"
                    + " \(descriptor.spatialLayer).\(descriptor.temporalLayer) \(differences) \(chains)"
            } catch { said = "\(error)" }
            return said
                + " \(decoder.spatialLayerCount ?? 0) \(decoder.activeDecodeTargets) \(decoder.highestSpatialLayer)"
        }.check()
    }

    @Test func `a structure keeps what only its receivers ask for`() throws {
        var writer = DescriptorWriter()
        writer.structure = .l3t2Key()
        var structure: FrameDependencyStructure?
        _ = try writer.bytes.withUnsafeBytes { try DependencyDescriptor(parsing: $0, structure: &structure) }
        let read = try #require(structure)
        var snapshot = SnapshotWriter()
        read.write(to: &snapshot)
        var reader = SnapshotReader(snapshot.bytes)
        let restored = try FrameDependencyStructure(restoring: &reader)
        #expect(reader.isAtEnd && restored.hasResolutions)
        for target in 0..<6 {
            #expect(restored.chain(protectingDecodeTarget: target) == read.chain(protectingDecodeTarget: target))
            #expect(restored.layers(ofDecodeTarget: target) == read.layers(ofDecodeTarget: target))
        }
        for layer in 0..<4 {
            let sizes = [restored, read].map { $0.resolution(ofSpatialLayer: layer).map { [$0.width, $0.height] } }
            #expect(sizes[0] == sizes[1])
        }
        for id in 0..<64 as Range<UInt8> { #expect(restored.template(id: id) == read.template(id: id)) }
    }
}
