#if DEBUG || TESTING
    /// Writes dependency descriptors bit by bit, for tests of their parser: AV1 RTP specification §A.8.2, in the writing
    /// direction.
    struct DescriptorWriter {
        struct Template {
            var spatial = 0
            var temporal = 0
            /// One character for each decode target: `-`, `D`, `S`, `R`.
            var indications = ""
            var frameDifferences: [Int] = []
            var chainDifferences: [Int] = []
        }

        struct Structure {
            var templateIDOffset = 0
            var decodeTargets = 1
            var templates: [Template] = []
            var chains = 0
            var protectingChains: [Int] = []
            var resolutions: [(width: Int, height: Int)] = []
        }

        var startsFrame = true
        var endsFrame = true
        var templateID = 0
        var frameNumber = 0
        var structure: Structure?
        var activeDecodeTargets: UInt32?
        var indications: String?
        var frameDifferences: [Int]?
        var chainDifferences: [Int]?
        /// For writing fields that depend on a structure sent before.
        var decodeTargets = 1

        private var bits: [Bool] = []

        init() {}

        /// The bytes, and how many of their bits are not padding.
        func written() -> (bytes: [UInt8], bitCount: Int) {
            var copy = self
            copy.writeAll()
            let count = copy.bits.count
            while copy.bits.count % 8 != 0 { copy.bits.append(false) }
            let bytes = stride(from: 0, to: copy.bits.count, by: 8).map { start in
                copy.bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
            }
            return (bytes, count)
        }

        var bytes: [UInt8] { written().bytes }

        private mutating func put(_ value: Int, _ count: Int) {
            for shift in (0..<count).reversed() { bits.append(value >> shift & 1 != 0) }
        }

        private mutating func putNonSymmetric(_ value: Int, below limit: Int) {
            var width = 0
            while limit >> width != 0 { width += 1 }
            let short = (1 << width) - limit
            if value < short { put(value, width - 1) } else { put(value + short, width) }
        }

        private mutating func putIndications(_ text: String) {
            for character in text {
                switch character {
                case "D": put(1, 2)
                case "S": put(2, 2)
                case "R": put(3, 2)
                default: put(0, 2)
                }
            }
        }

        private mutating func writeAll() {
            put(startsFrame ? 1 : 0, 1)
            put(endsFrame ? 1 : 0, 1)
            put(templateID, 6)
            put(frameNumber, 16)
            let isExtended =
                structure != nil || activeDecodeTargets != nil || indications != nil || frameDifferences != nil
                || chainDifferences != nil
            guard isExtended else { return }
            put(structure != nil ? 1 : 0, 1)
            put(activeDecodeTargets != nil ? 1 : 0, 1)
            put(indications != nil ? 1 : 0, 1)
            put(frameDifferences != nil ? 1 : 0, 1)
            put(chainDifferences != nil ? 1 : 0, 1)
            if let structure { write(structure) }
            if let activeDecodeTargets { put(Int(activeDecodeTargets), structure?.decodeTargets ?? decodeTargets) }
            if let indications { putIndications(indications) }
            if let frameDifferences {
                for difference in frameDifferences {
                    let size = difference <= 16 ? 1 : difference <= 256 ? 2 : 3
                    put(size, 2)
                    put(difference - 1, 4 * size)
                }
                put(0, 2)
            }
            for difference in chainDifferences ?? [] { put(difference, 8) }
        }

        private mutating func write(_ structure: Structure) {
            put(structure.templateIDOffset, 6)
            put(structure.decodeTargets - 1, 5)
            for (index, template) in structure.templates.enumerated() {
                guard index > 0 else { continue }
                let before = structure.templates[index - 1]
                put(template.spatial > before.spatial ? 2 : template.temporal > before.temporal ? 1 : 0, 2)
            }
            put(3, 2)
            for template in structure.templates { putIndications(template.indications) }
            for template in structure.templates {
                for difference in template.frameDifferences {
                    put(1, 1)
                    put(difference - 1, 4)
                }
                put(0, 1)
            }
            putNonSymmetric(structure.chains, below: structure.decodeTargets + 1)
            if structure.chains > 0 {
                for chain in structure.protectingChains { putNonSymmetric(chain, below: structure.chains) }
                for template in structure.templates {
                    for difference in template.chainDifferences { put(difference, 4) }
                }
            }
            put(structure.resolutions.isEmpty ? 0 : 1, 1)
            for resolution in structure.resolutions {
                put(resolution.width - 1, 16)
                put(resolution.height - 1, 16)
            }
        }
    }

    extension DescriptorWriter.Structure {
        /// One spatial and three temporal layers; decode target n is temporal layer n.
        static func l1t3(offset: Int = 0) -> Self {
            Self(
                templateIDOffset: offset, decodeTargets: 3,
                templates: [
                    DescriptorWriter.Template(indications: "SSS", chainDifferences: [0]),
                    DescriptorWriter.Template(indications: "SSS", frameDifferences: [4], chainDifferences: [4]),
                    DescriptorWriter.Template(
                        temporal: 1, indications: "-DS", frameDifferences: [2], chainDifferences: [2]),
                    DescriptorWriter.Template(
                        temporal: 2, indications: "--D", frameDifferences: [1], chainDifferences: [1]),
                    DescriptorWriter.Template(
                        temporal: 2, indications: "--D", frameDifferences: [1], chainDifferences: [3]),
                ], chains: 1, protectingChains: [0, 0, 0], resolutions: [(640, 360)])
        }

        /// Three spatial layers that depend on each other at key frames only, two temporal ones. Decode target 2s + t is spatial
        /// layer s, temporal layer t.
        static func l3t2Key(offset: Int = 0) -> Self {
            Self(
                templateIDOffset: offset, decodeTargets: 6,
                templates: [
                    DescriptorWriter.Template(indications: "SSSSSS", chainDifferences: [0, 0, 0]),
                    DescriptorWriter.Template(
                        indications: "SS----", frameDifferences: [6], chainDifferences: [6, 5, 4]),
                    DescriptorWriter.Template(
                        temporal: 1, indications: "-D----", frameDifferences: [3], chainDifferences: [3, 2, 1]),
                    DescriptorWriter.Template(
                        spatial: 1, indications: "--SSSS", frameDifferences: [1], chainDifferences: [1, 1, 1]),
                    DescriptorWriter.Template(
                        spatial: 1, indications: "--SS--", frameDifferences: [6], chainDifferences: [1, 6, 5]),
                    DescriptorWriter.Template(
                        spatial: 1, temporal: 1, indications: "---D--", frameDifferences: [3],
                        chainDifferences: [4, 3, 2]),
                    DescriptorWriter.Template(
                        spatial: 2, indications: "----SS", frameDifferences: [1], chainDifferences: [2, 1, 1]),
                    DescriptorWriter.Template(
                        spatial: 2, indications: "----SS", frameDifferences: [6], chainDifferences: [2, 1, 6]),
                    DescriptorWriter.Template(
                        spatial: 2, temporal: 1, indications: "-----D", frameDifferences: [3],
                        chainDifferences: [5, 4, 3]),
                ], chains: 3, protectingChains: [0, 0, 1, 1, 2, 2],
                resolutions: [(320, 180), (640, 360), (1280, 720)])
        }
    }
#endif
