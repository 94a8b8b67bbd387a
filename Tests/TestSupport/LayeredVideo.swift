// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A frame, of one spatial layer, as it was sent, and what a decoder must have had before it.
    struct SentFrame {
        /// Counted in its stream, whatever it is called on the wire.
        var picture: Int
        var spatial: Int
        var temporal: Int
        var isKey: Bool
        /// Indices among the stream's frames.
        var needs: [Int]
        var pictureID: UInt16
        var tl0: UInt8
        var isSync: Bool
        var packets: Range<UInt64> = 0..<0
        var timestamp: UInt32 = 0
        var sentAt = MediaInstant(nanoseconds: 0)
    }

    /// Video payloads as browsers write them: VP8, VP9 (flexible or not), AV1 with dependency descriptors, H.264; with
    /// temporal layers in the pattern 0, 0 1, or 0 2 1 2, and spatial layers for VP9 and AV1.
    struct LayeredVideo {
        /// Where one stream's pictures stand.
        struct Pictures {
            var nextPictureID: UInt16 = 32_700
            var nextTL0: UInt8 = 250
            fileprivate var picture = 0
            fileprivate var phase = 0
            fileprivate var frames = 0
            /// By spatial layer: the newest base frame, and the newest frame.
            fileprivate var base = [Int](repeating: -1, count: 4)
            fileprivate var newest = [Int](repeating: -1, count: 4)
        }

        var codec = CodecKind.vp8
        var spatialLayers = 1
        var temporalLayers = 1
        var isKSVC = false
        var isFlexible = false
        /// Of VP8: the layers stand in the dependency descriptor alone.
        var usesDescriptorOnly = false

        var scalability: ScalabilitySettings {
            ScalabilitySettings(spatialLayers: spatialLayers, temporalLayers: temporalLayers, isKSVC: isKSVC)
        }

        /// The frames of the next picture, lowest layer first.
        func nextPicture(_ state: inout Pictures, isKey wantsKey: Bool) -> [SentFrame] {
            let isKey = wantsKey || state.picture == 0
            if isKey { state.phase = 0 }
            let pattern = temporalLayers == 1 ? [0] : temporalLayers == 2 ? [0, 1] : [0, 2, 1, 2]
            let place = state.phase % pattern.count
            let temporal = pattern[place]
            if temporal == 0, state.picture > 0 { state.nextTL0 &+= 1 }
            var frames: [SentFrame] = []
            for spatial in 0..<spatialLayers {
                var needs: [Int] = []
                // The second of the highest layer's pictures refers to the one before it, all others to the base.
                if !isKey { needs.append(place == 3 ? state.newest[spatial] : state.base[spatial]) }
                if spatial > 0, isKey || !isKSVC { needs.append(state.frames - 1) }
                frames.append(
                    SentFrame(
                        picture: state.picture, spatial: spatial, temporal: temporal, isKey: isKey, needs: needs,
                        pictureID: state.nextPictureID, tl0: state.nextTL0, isSync: temporal > 0 && place != 3))
                if temporal == 0 { state.base[spatial] = state.frames }
                state.newest[spatial] = state.frames
                state.frames += 1
            }
            state.phase += 1
            state.picture += 1
            state.nextPictureID = (state.nextPictureID &+ 1) & 0x7FFF
            return frames
        }

        /// What a packet's payload begins with, up to the first byte of the codec's own.
        func prefix(of frame: SentFrame, isFirst: Bool, isLast: Bool) -> [UInt8] {
            let id = [0x80 | UInt8(frame.pictureID >> 8), UInt8(truncatingIfNeeded: frame.pictureID)]
            switch codec {
            case .vp8:
                // RFC 7741 §4.2: X, S; then I, L, T; the frame's own byte says whether it is a key frame.
                if usesDescriptorOnly {
                    return [isFirst ? 0x90 : 0x80, 0xC0] + id + [frame.tl0, frame.isKey ? 0 : 1]
                }
                return [isFirst ? 0x90 : 0x80, 0xE0] + id + [
                    frame.tl0, UInt8(frame.temporal) << 6 | (frame.isSync ? 0x20 : 0), frame.isKey ? 0 : 1,
                ]
            case .vp9: return vp9(frame, id, isFirst: isFirst, isLast: isLast)
            case .av1:
                // The aggregation header: Z and Y for what goes on from and to other packets, N.
                let isNew = frame.isKey && frame.spatial == 0 && isFirst
                return [(isFirst ? 0 : 0x80) | (isLast ? 0 : 0x40) | (isNew ? 0x08 : 0), 0x32]
            case .h264:
                // A parameter set opens a key frame; everything else is a fragment of a slice.
                return frame.isKey && isFirst ? [0x67, 0x42] : [0x5C, (isFirst ? 0x80 : 0) | (frame.isKey ? 5 : 1)]
            default: return [0x78, 0]
            }
        }

        /// RFC 9628 §4.2.
        private func vp9(_ frame: SentFrame, _ id: [UInt8], isFirst: Bool, isLast: Bool) -> [UInt8] {
            var flags: UInt8 = 0xA0
            if !frame.isKey { flags |= 0x40 }
            if isFlexible { flags |= 0x10 }
            if isFirst { flags |= 0x08 }
            if isLast { flags |= 0x04 }
            if frame.spatial == spatialLayers - 1 || (isKSVC && !frame.isKey) { flags |= 0x01 }
            let hasStructure = frame.isKey && frame.spatial == 0 && isFirst
            if hasStructure { flags |= 0x02 }
            let depends = frame.spatial > 0 && (frame.isKey || !isKSVC)
            var bytes = [flags] + id
            bytes.append(
                UInt8(frame.temporal) << 5 | (frame.isSync ? 0x10 : 0) | UInt8(frame.spatial) << 1 | (depends ? 1 : 0))
            if !isFlexible { bytes.append(frame.tl0) }
            // One reference difference of one picture.
            if isFlexible, !frame.isKey { bytes.append(0x02) }
            if hasStructure { bytes.append(UInt8(spatialLayers - 1) << 5) }
            bytes.append(0xAA)
            return bytes
        }

        /// A packet's dependency descriptor; empty for a codec that does without.
        func descriptor(of frame: SentFrame, isFirst: Bool, isLast: Bool) -> [UInt8] {
            guard codec == .av1 || usesDescriptorOnly || (codec == .h264 && temporalLayers > 1) else { return [] }
            var writer = DescriptorWriter()
            writer.startsFrame = isFirst
            writer.endsFrame = isLast
            writer.templateID = template(spatial: frame.spatial, temporal: frame.temporal, isKey: frame.isKey)
            writer.frameNumber = (frame.picture * spatialLayers + frame.spatial) & 0xFFFF
            if frame.isKey, frame.spatial == 0, isFirst { writer.structure = structure }
            return writer.bytes
        }

        private func template(spatial: Int, temporal: Int, isKey: Bool) -> Int {
            spatial * (temporalLayers + 1) + (isKey ? 0 : 1 + temporal)
        }

        /// Decode target `s * temporalLayers + t` is spatial layer s with temporal layers up to t.
        private var structure: DescriptorWriter.Structure {
            var templates: [DescriptorWriter.Template] = []
            for spatial in 0..<spatialLayers {
                for kind in 0...temporalLayers {
                    let isKey = kind == 0
                    let temporal = max(kind - 1, 0)
                    var text = ""
                    for target in 0..<spatialLayers {
                        for layer in 0..<temporalLayers {
                            let isNeeded =
                                (isKSVC && !isKey ? spatial == target : spatial <= target) && temporal <= layer
                            text += !isNeeded ? "-" : temporal == 0 ? "S" : "D"
                        }
                    }
                    templates.append(.init(spatial: spatial, temporal: temporal, indications: text))
                }
            }
            return DescriptorWriter.Structure(decodeTargets: spatialLayers * temporalLayers, templates: templates)
        }
    }
#endif
