import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Dependency descriptors")
struct DependencyDescriptorTests {
    private func parse(
        _ bytes: [UInt8], _ structure: inout FrameDependencyStructure?
    ) throws(DependencyDescriptorError) -> DependencyDescriptor {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        return try DependencyDescriptor(parsing: UnsafeRawBufferPointer(buffer), structure: &structure)
    }

    private func keyFrame(_ structure: DescriptorWriter.Structure) -> DescriptorWriter {
        var writer = DescriptorWriter()
        writer.structure = structure
        writer.templateID = structure.templateIDOffset
        return writer
    }

    @Test func `a structure of three temporal layers is read whole`() throws {
        var kept: FrameDependencyStructure?
        let key = try parse(keyFrame(.l1t3(offset: 62)).bytes, &kept)
        let structure = try #require(kept)
        #expect(key.hasStructure && key.startsFrame && key.endsFrame && key.frameDifferences.count == 0)
        #expect(structure.templateCount == 5 && structure.decodeTargetCount == 3 && structure.chainCount == 1)
        #expect(structure.templateIDOffset == 62 && structure.spatialLayerCount == 1)
        for target in 0..<3 {
            let layers = structure.layers(ofDecodeTarget: target)
            #expect(layers == (0, UInt8(target)))
            #expect(structure.chain(protectingDecodeTarget: target) == 0)
        }
        let size = try #require(structure.resolution(ofSpatialLayer: 0))
        #expect(size == (640, 360))
        #expect(structure.resolution(ofSpatialLayer: 1) == nil)
        // Template numbers wrap at 64: 62, 63, 0, 1, 2.
        let middle = try #require(structure.template(id: 0))
        #expect(middle.temporalLayer == 1 && middle.frameDifferences[0] == 2)
        #expect(structure.template(id: 3) == nil && structure.template(id: 61) == nil)
    }

    @Test func `three spatial layers are read with protection and sizes of every decode target`() throws {
        var kept: FrameDependencyStructure?
        _ = try parse(keyFrame(.l3t2Key()).bytes, &kept)
        let structure = try #require(kept)
        #expect(structure.spatialLayerCount == 3 && structure.templateCount == 9 && structure.chainCount == 3)
        for target in 0..<6 {
            let layers = structure.layers(ofDecodeTarget: target)
            #expect(layers == (UInt8(target / 2), UInt8(target % 2)))
            #expect(structure.chain(protectingDecodeTarget: target) == target / 2)
        }
        let size = try #require(structure.resolution(ofSpatialLayer: 2))
        #expect(size == (1280, 720))
    }

    @Test func `a later frame takes its properties from its template`() throws {
        var kept: FrameDependencyStructure?
        _ = try parse(keyFrame(.l1t3()).bytes, &kept)
        var writer = DescriptorWriter()
        (writer.templateID, writer.frameNumber, writer.endsFrame) = (3, 65_535, false)
        let frame = try parse(writer.bytes, &kept)
        #expect(writer.bytes.count == 3)
        #expect(frame.frameNumber == 65_535 && frame.startsFrame && !frame.endsFrame && !frame.hasStructure)
        #expect(frame.spatialLayer == 0 && frame.temporalLayer == 2)
        #expect(frame.indication(forDecodeTarget: 0) == .notPresent)
        #expect(frame.indication(forDecodeTarget: 2) == .discardable)
        #expect(frame.indication(forDecodeTarget: 3) == .notPresent, "there is no such target")
        #expect(frame.frameDifferences.count == 1 && frame.frameDifferences[0] == 1)
        #expect(frame.chainDifferences[0] == 1 && frame.activeDecodeTargets == nil)
    }

    @Test func `a frame's own indications, differences and chains replace its template's`() throws {
        var kept: FrameDependencyStructure?
        _ = try parse(keyFrame(.l1t3()).bytes, &kept)
        var writer = DescriptorWriter()
        writer.templateID = 2
        writer.decodeTargets = 3
        writer.activeDecodeTargets = 0b011
        writer.indications = "RD-"
        writer.frameDifferences = [1, 16, 17, 256, 257, 4096]
        writer.chainDifferences = [255]
        let frame = try parse(writer.bytes, &kept)
        #expect(frame.activeDecodeTargets == 0b011 && frame.temporalLayer == 1)
        #expect((0..<3).map { frame.indication(forDecodeTarget: $0) } == [.required, .discardable, .notPresent])
        #expect((0..<frame.frameDifferences.count).map { frame.frameDifferences[$0] } == [1, 16, 17, 256, 257, 4096])
        #expect(frame.chainDifferences[0] == 255)
    }

    @Test(arguments: 1...32)
    func `chain counts and protections are read in the non-symmetric code`(targets: Int) throws {
        for chains in 0...targets {
            var structure = DescriptorWriter.Structure(decodeTargets: targets, chains: chains)
            structure.templates = [
                DescriptorWriter.Template(
                    indications: String(repeating: "S", count: targets),
                    chainDifferences: (0..<chains).map { $0 % 16 })
            ]
            structure.protectingChains = (0..<targets).map { chains == 0 ? 0 : $0 % chains }
            var kept: FrameDependencyStructure?
            let frame = try parse(keyFrame(structure).bytes, &kept)
            let read = try #require(kept)
            #expect(read.chainCount == chains && frame.chainCount == chains)
            for target in 0..<targets {
                #expect(read.chain(protectingDecodeTarget: target) == (chains == 0 ? nil : target % chains))
            }
            for chain in 0..<chains { #expect(Int(frame.chainDifferences[chain]) == chain % 16) }
            #expect(read.allDecodeTargets.nonzeroBitCount == targets)
        }
    }

    @Test func `the largest structure there can be is read`() throws {
        var structure = DescriptorWriter.Structure(decodeTargets: 32, chains: 32)
        structure.protectingChains = Array(0..<32)
        for index in 0..<64 {
            structure.templates.append(
                DescriptorWriter.Template(
                    spatial: index / 16, temporal: index % 16 / 2, indications: String(repeating: "R", count: 32),
                    frameDifferences: Array(1...8), chainDifferences: Array(repeating: 15, count: 32)))
        }
        structure.resolutions = Array(repeating: (65_536, 65_536), count: 4)
        var kept: FrameDependencyStructure?
        let frame = try parse(keyFrame(structure).bytes, &kept)
        let read = try #require(kept)
        #expect(read.templateCount == 64 && read.spatialLayerCount == 4 && frame.frameDifferences.count == 8)
        let size = try #require(read.resolution(ofSpatialLayer: 3))
        #expect(size == (65_536, 65_536))
    }

    @Test func `too many of anything is refused`() {
        func error(_ structure: DescriptorWriter.Structure) -> DependencyDescriptorError? {
            var kept: FrameDependencyStructure?
            let bytes = keyFrame(structure).bytes
            let result = Result { try parse(bytes, &kept) }
            if case .failure(let error) = result { return error as? DependencyDescriptorError }
            return nil
        }
        typealias Template = DescriptorWriter.Template
        let plain = Template(indications: "S")
        #expect(error(.init(templates: Array(repeating: plain, count: 65))) == .wire(.tooLarge))
        #expect(error(.init(templates: (0...4).map { Template(spatial: $0, indications: "S") })) == .wire(.tooLarge))
        #expect(error(.init(templates: (0...8).map { Template(temporal: $0, indications: "S") })) == .wire(.tooLarge))
        #expect(
            error(.init(templates: [Template(indications: "S", frameDifferences: Array(1...9))])) == .wire(.tooLarge))
    }

    @Test func `a descriptor without its structure, or with an unknown template, is an error without effect`() throws {
        var kept: FrameDependencyStructure?
        var writer = DescriptorWriter()
        #expect(throws: DependencyDescriptorError.missingStructure) { try parse(writer.bytes, &kept) }
        _ = try parse(keyFrame(.l1t3(offset: 10)).bytes, &kept)
        for id in [0, 9, 15, 63] {
            writer.templateID = id
            #expect(throws: DependencyDescriptorError.unknownTemplate) { try parse(writer.bytes, &kept) }
        }
        var broken = keyFrame(.l3t2Key())
        broken.templateID = 40
        #expect(throws: DependencyDescriptorError.unknownTemplate) { try parse(broken.bytes, &kept) }
        #expect(kept?.templateIDOffset == 10, "a structure whose own packet makes no sense is not kept")
        broken = keyFrame(.l3t2Key())
        broken.startsFrame = false
        #expect(throws: DependencyDescriptorError.wire(.malformed)) { try parse(broken.bytes, &kept) }
    }

    @Test func `a descriptor cut at any byte that holds one of its bits is truncated`() throws {
        var kept: FrameDependencyStructure?
        _ = try parse(keyFrame(.l1t3()).bytes, &kept)
        var custom = DescriptorWriter()
        (custom.decodeTargets, custom.activeDecodeTargets, custom.indications) = (3, 5, "SSS")
        (custom.frameDifferences, custom.chainDifferences) = ([300, 20, 1], [9])
        for writer in [keyFrame(.l1t3()), keyFrame(.l3t2Key()), custom] {
            let bytes = writer.bytes
            // Three bytes are a whole descriptor: the mandatory fields.
            for count in 0..<bytes.count where count != 3 {
                var scratch = kept
                #expect(throws: DependencyDescriptorError.wire(.truncated)) {
                    try parse(Array(bytes[..<count]), &scratch)
                }
                #expect(scratch?.templateCount == 5)
            }
        }
    }

    @Test func `padding after the last field is ignored, whatever its bits`() throws {
        for padding: [UInt8] in [[0], [0xFF], [0, 0, 0xA5]] {
            var kept: FrameDependencyStructure?
            _ = try parse(keyFrame(.l3t2Key()).bytes + padding, &kept)
            #expect(kept?.templateCount == 9)
        }
    }

    @Test func `bits are read at every width, and a read over the end throws`() throws {
        let bytes: [UInt8] = [0xA5, 0x3C, 0xFF, 0x00, 0x81]
        try bytes.withUnsafeBytes { buffer in
            let whole = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            for start in 0...40 {
                for width in 0...32 {
                    var reader = BitReader(buffer)
                    var left = start
                    while left > 0 {
                        _ = try reader.read(min(left, 7))
                        left -= min(left, 7)
                    }
                    if start + width <= 40 {
                        let expected = whole >> UInt64(40 - start - width) & ((1 << UInt64(width)) - 1)
                        #expect(UInt64(try reader.read(width)) == expected)
                        #expect(reader.remaining == 40 - start - width)
                    } else {
                        #expect(throws: WireError.truncated) { try reader.read(width) }
                        #expect(reader.remaining == 40 - start, "a failed read takes nothing")
                    }
                }
            }
            var reader = BitReader(buffer)
            #expect(throws: WireError.malformed) { try reader.read(33) }
            #expect(throws: WireError.malformed) { try reader.readNonSymmetric(below: 0) }
        }
    }

    @Test func `damaged descriptors are errors or values, never traps`() {
        var decoder = DependencyDescriptorDecoder()
        var sequence: UInt64 = 0
        var custom = DescriptorWriter()
        (custom.decodeTargets, custom.activeDecodeTargets, custom.indications) = (3, 5, "SSS")
        (custom.frameDifferences, custom.chainDifferences) = ([300, 20, 1], [9])
        let samples = [keyFrame(.l1t3()).bytes, keyFrame(.l3t2Key()).bytes, custom.bytes, DescriptorWriter().bytes]
        WireSamples.fuzz(samples, iterations: 40_000) { buffer in
            sequence += 1
            if let frame = try? decoder.decode(buffer, sequence: sequence ^ (sequence & 8)) {
                #expect(frame.spatialLayer < 4 && frame.temporalLayer < 8 && frame.decodeTargetCount <= 32)
                _ = decoder.layerMasks(of: frame, sequence: sequence)
            }
        }
    }
}

@Suite("DependencyDescriptorDecoder")
struct DependencyDescriptorDecoderTests {
    private func key(_ structure: DescriptorWriter.Structure, active: UInt32? = nil) -> [UInt8] {
        var writer = DescriptorWriter()
        writer.structure = structure
        writer.templateID = structure.templateIDOffset
        writer.activeDecodeTargets = active
        return writer.bytes
    }

    private func frame(_ template: Int, targets: Int = 6, active: UInt32? = nil) -> [UInt8] {
        var writer = DescriptorWriter()
        writer.templateID = template
        writer.decodeTargets = targets
        writer.activeDecodeTargets = active
        return writer.bytes
    }

    private func decode(
        _ bytes: [UInt8], _ sequence: UInt64, with decoder: inout DependencyDescriptorDecoder
    ) throws -> DependencyDescriptor {
        try bytes.withUnsafeBytes { try decoder.decode($0, sequence: sequence) }
    }

    private func expect<T: Equatable>(
        _ actual: T, _ expected: T, sourceLocation: SourceLocation = #_sourceLocation
    ) { #expect(actual == expected, sourceLocation: sourceLocation) }

    private func expectMissing(
        _ bytes: [UInt8], _ sequence: UInt64, with decoder: inout DependencyDescriptorDecoder,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do {
            _ = try decode(bytes, sequence, with: &decoder)
            Issue.record("was explained", sourceLocation: sourceLocation)
        } catch { expect(error as? DependencyDescriptorError, .missingStructure, sourceLocation: sourceLocation) }
    }

    @Test func `nothing is explained before a key frame, and everything after it`() throws {
        var decoder = DependencyDescriptorDecoder()
        expectMissing(frame(1), 1, with: &decoder)
        expect(decoder.hasStructure, false)
        _ = try decode(key(.l3t2Key()), 2, with: &decoder)
        let later = try decode(frame(8), 3, with: &decoder)
        expect(decoder.spatialLayerCount, 3)
        expect(decoder.highestSpatialLayer, 2)
        #expect(later.spatialLayer == 2 && later.temporalLayer == 1)
        decoder.reset()
        expect(decoder.hasStructure, false)
        expectMissing(frame(8), 4, with: &decoder)
    }

    @Test func `an older key frame that comes late does not replace the newer structure`() throws {
        var decoder = DependencyDescriptorDecoder()
        _ = try decode(key(.l1t3(offset: 20)), 100, with: &decoder)
        let late = try decode(key(.l3t2Key()), 90, with: &decoder)
        #expect(late.decodeTargetCount == 6)
        expect(decoder.layerMasks(of: late, sequence: 90).neededBy, .max)
        expect(decoder.spatialLayerCount, 1)
        expectMissing(frame(1), 91, with: &decoder)
        let next = try decode(frame(22), 101, with: &decoder)
        #expect(next.temporalLayer == 1)
    }

    @Test func `frames of a K-SVC stream are needed by their own spatial layer, key frames by all above`() throws {
        var decoder = DependencyDescriptorDecoder()
        func masks(_ bytes: [UInt8], _ sequence: UInt64) throws -> (neededBy: UInt64, switchTo: UInt64) {
            decoder.layerMasks(of: try decode(bytes, sequence, with: &decoder), sequence: sequence)
        }
        let first = try masks(key(.l3t2Key()), 1)
        #expect(first.neededBy == .max && first.switchTo == .max)
        let second = try masks(frame(3), 2)
        #expect(second.neededBy == PacketLayers.layers(spatial: 1, through: 7, temporal: 0))
        let base = try masks(frame(1), 4)
        #expect(base.neededBy == 0xFF && base.switchTo == 0xFF)
        let upper = try masks(frame(5), 5)
        #expect(upper.neededBy == 0xFE00 && upper.switchTo == 0)
        // The topmost produced layer also serves who wants more.
        let top = try masks(frame(7), 6)
        #expect(top.neededBy == PacketLayers.layers(spatial: 2, through: 7, temporal: 0))
    }

    @Test func `when the sender stops producing decode targets, the ones below serve their receivers`() throws {
        var decoder = DependencyDescriptorDecoder()
        _ = try decode(key(.l3t2Key()), 1, with: &decoder)
        expect(decoder.activeDecodeTargets, 0b111111)
        let lower = try decode(frame(4, active: 0b001111), 2, with: &decoder)
        expect(decoder.activeDecodeTargets, 0b001111)
        expect(decoder.highestSpatialLayer, 1)
        expect(
            decoder.layerMasks(of: lower, sequence: 2).neededBy,
            PacketLayers.layers(spatial: 1, through: 7, temporal: 0))
        // Late news is old news.
        _ = try decode(frame(4, active: 0b000011), 1, with: &decoder)
        expect(decoder.activeDecodeTargets, 0b001111)
        _ = try decode(key(.l3t2Key(), active: 0b000011), 3, with: &decoder)
        expect(decoder.activeDecodeTargets, 0b000011)
    }
}
