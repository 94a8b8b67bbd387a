/// The dependency descriptor of one packet (AV1 RTP specification, appendix A), explained by its structure.
struct DependencyDescriptor {
    let startsFrame: Bool
    let endsFrame: Bool
    let templateID: UInt8
    let frameNumber: UInt16
    /// The packet itself carried the structure: it starts a coded video sequence, so it starts a key frame.
    let hasStructure: Bool
    /// Which decode targets the sender still produces, if this packet says so; the first in the lowest bit.
    let activeDecodeTargets: UInt32?
    /// 0…3.
    let spatialLayer: UInt8
    /// 0…7.
    let temporalLayer: UInt8
    let decodeTargetCount: Int
    /// Two bits for each decode target, the first in the lowest bits.
    let indications: UInt64
    let frameDifferences: FrameDifferences
    let chainCount: Int
    let chainDifferences: ChainDifferences

    /// What the frame is to a decode target; `notPresent` for one that does not exist.
    func indication(forDecodeTarget index: Int) -> DecodeTargetIndication {
        guard index >= 0, index < decodeTargetCount else { return .notPresent }
        return DecodeTargetIndication(rawValue: UInt8(indications >> UInt64(2 * index) & 3)) ?? .notPresent
    }

    /// Reads a descriptor.
    /// - Parameters:
    ///   - structure: the sequence's; replaced by the one in `bytes`, if there is one and all of `bytes` makes sense.
    /// - Throws: `truncated`; `malformed` for a structure in the middle of a frame; `tooLarge`.
    init(
        parsing bytes: UnsafeRawBufferPointer, structure: inout FrameDependencyStructure?
    ) throws(DependencyDescriptorError) {
        var reader = unsafe BitReader(bytes)
        let head: Head
        var own: FrameDependencyStructure?
        do throws(WireError) {
            head = try Head(&reader, isExtended: bytes.count > 3)
            if head.hasStructure {
                guard head.startsFrame else { throw .malformed }
                own = try FrameDependencyStructure(parsing: &reader)
            }
        } catch { throw .wire(error) }
        // An optional of this size is not copied to be looked at.
        if own == nil, structure == nil { throw .missingStructure }
        let known: (count: Int, chains: Int, template: FrameTemplate?)
        if let own {
            known = (own.decodeTargetCount, own.chainCount, own.template(id: head.templateID))
        } else {
            known = (
                structure?.decodeTargetCount ?? 0, structure?.chainCount ?? 0, structure?.template(id: head.templateID)
            )
        }
        do throws(WireError) {
            activeDecodeTargets = head.hasActiveTargets ? try reader.read(known.count) : nil
            guard let template = known.template else { throw .unexpectedType }
            indications =
                head.hasIndications
                ? try FrameDependencyStructure.readIndications(&reader, count: known.count) : template.indications
            frameDifferences =
                head.hasFrameDifferences ? try Self.readFrameDifferences(&reader) : template.frameDifferences
            var chains = template.chainDifferences
            if head.hasChainDifferences {
                for chain in 0..<known.chains { chains[chain] = UInt8(truncatingIfNeeded: try reader.read(8)) }
            }
            chainDifferences = chains
            spatialLayer = template.spatialLayer
            temporalLayer = template.temporalLayer
        } catch {
            if case .unexpectedType = error { throw .unknownTemplate }
            throw .wire(error)
        }
        startsFrame = head.startsFrame
        endsFrame = head.endsFrame
        templateID = head.templateID
        frameNumber = head.frameNumber
        hasStructure = head.hasStructure
        decodeTargetCount = known.count
        chainCount = known.chains
        // Padding follows; receivers ignore it (§A.8.3).
        if own != nil { structure = own }
    }

    /// The mandatory fields, and the flags of the extended ones.
    private struct Head {
        var startsFrame: Bool
        var endsFrame: Bool
        var templateID: UInt8
        var frameNumber: UInt16
        var hasStructure = false
        var hasActiveTargets = false
        var hasIndications = false
        var hasFrameDifferences = false
        var hasChainDifferences = false

        init(_ reader: inout BitReader, isExtended: Bool) throws(WireError) {
            startsFrame = try reader.readFlag()
            endsFrame = try reader.readFlag()
            templateID = UInt8(truncatingIfNeeded: try reader.read(6))
            frameNumber = UInt16(truncatingIfNeeded: try reader.read(16))
            guard isExtended else { return }
            hasStructure = try reader.readFlag()
            hasActiveTargets = try reader.readFlag()
            hasIndications = try reader.readFlag()
            hasFrameDifferences = try reader.readFlag()
            hasChainDifferences = try reader.readFlag()
        }
    }

    private static func readFrameDifferences(_ reader: inout BitReader) throws(WireError) -> FrameDifferences {
        var differences = FrameDifferences()
        while true {
            let size = Int(try reader.read(2))
            if size == 0 { return differences }
            try differences.append(UInt16(truncatingIfNeeded: try reader.read(4 * size)) + 1)
        }
    }
}
