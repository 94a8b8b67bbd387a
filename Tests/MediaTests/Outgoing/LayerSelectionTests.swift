import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite struct LayerSelectionTests {
    private static let now = MediaInstant(nanoseconds: 1_000_000_000)

    /// A selection with what its consumer and its feed keep beside it.
    private struct Bench: Restorable, ~Copyable {
        var selection: LayerSelection
        var source: SourceEncodings
        var timestamps = TimestampRewriter(clockRate: 90_000)
        var stream = SVCStream(isKSVC: false)
        let codec: CodecKind

        init(
            _ codec: CodecKind, encodings: Int = 1, _ scalability: ScalabilitySettings,
            preferred: ConsumerLayers? = nil
        ) {
            self.codec = codec
            selection = LayerSelection(codec: codec, encodings: encodings, scalability, preferred: preferred)
            source = SourceEncodings(count: encodings, clockRate: 90_000)
        }

        init(restoring reader: inout SnapshotReader) throws(WireError) {
            let codec: CodecKind = try reader.read()
            let selection: LayerSelection = try reader.read()
            let source: SourceEncodings = try reader.read()
            let timestamps: TimestampRewriter = try reader.read()
            self.codec = codec
            self.selection = selection
            self.source = source
            self.timestamps = timestamps
        }

        func write(to writer: inout SnapshotWriter) {
            writer.write(codec)
            writer.write(selection)
            writer.write(source)
            writer.write(timestamps)
        }

        /// The actions for the packets of one picture; `nil` if the stream is sent whole.
        mutating func give(isKey: Bool, encoding: Int = 0) -> [LayerDecision.Action?] {
            var actions: [LayerDecision.Action?] = []
            for packet in stream.picture(isKey: isKey) {
                actions.append(give(packet, encoding: encoding, at: LayerSelectionTests.now))
            }
            return actions
        }

        mutating func give(
            _ packet: SVCStream.Packet, encoding: Int, at now: MediaInstant
        ) -> LayerDecision.Action? {
            source.packetReceived(encoding: encoding, at: now)
            let prepared = PreparedPacket(
                producer: 1, sequence: packet.sequence, timestamp: packet.timestamp, headerLength: 32,
                payloadLength: 500, encoding: UInt8(encoding), payloadType: 96, codec: codec,
                isKeyFrame: packet.isKeyFrame, isPaddingOnly: false, layers: packet.layers)
            return selection.packetReceived(
                prepared, canStart: packet.isKeyFrame, source: source, timestamps: &timestamps, at: now)?.action
        }

        /// The layers that are reported now, as "spatial/temporal"; `nil` for no change.
        mutating func report() -> String? {
            let (isChanged, layers) = selection.pollChange()
            return isChanged ? layers.map { "\($0.spatial)/\($0.temporal)" } ?? "none" : nil
        }
    }

    @Test(
        arguments: [
            (CodecKind.opus, 1, 1, 1, "whole"), (.vp8, 1, 1, 1, "whole"), (.vp9, 1, 1, 1, "whole"),
            (.vp8, 1, 1, 3, "encodings"), (.vp8, 3, 1, 1, "encodings"), (.vp9, 3, 1, 3, "encodings"),
            (.vp9, 1, 1, 3, "svc"), (.av1, 1, 3, 3, "svc"), (.h264, 1, 2, 1, "svc"),
        ])
    func `a source's codec, encodings and scalability say what tells its layers apart`(
        codec: CodecKind, encodings: Int, spatial: Int, temporal: Int, expected: String
    ) {
        let selection = LayerSelection(
            codec: codec, encodings: encodings,
            ScalabilitySettings(spatialLayers: spatial, temporalLayers: temporal), preferred: nil)
        let found =
            switch selection.selector {
            case .whole: "whole"
            case .encodings: "encodings"
            case .svc: "svc"
            }
        #expect(found == expected)
        #expect(selection.hasLayers == (expected != "whole") && selection.hasEncodings == (expected == "encodings"))
    }

    @Test func `a change of layers is reported once, in the layers that the source announced`() {
        var bench = Bench(.vp9, ScalabilitySettings(spatialLayers: 3, temporalLayers: 3))
        #expect(bench.report() == nil)
        #expect(bench.give(isKey: true).first == .begin)
        #expect(bench.report() == "2/2")
        #expect(bench.report() == nil)
        bench.selection.prefer(ConsumerLayers(spatial: 9, temporal: 9))
        _ = bench.give(isKey: false)
        #expect(bench.report() == nil)
        bench.selection.prefer(ConsumerLayers(spatial: 0, temporal: 0))
        _ = bench.give(isKey: false)
        #expect(bench.report() == "0/0")
        bench.selection.restart()
        #expect(bench.report() == "none")
        #expect(bench.give(isKey: false).allSatisfy { $0 == .hold })
    }

    @Test func `the preferred encoding is waited for, and its key frame begins`() {
        var bench = Bench(
            .vp8, encodings: 2, ScalabilitySettings(spatialLayers: 1, temporalLayers: 1),
            preferred: ConsumerLayers(spatial: 0, temporal: 0))
        bench.source.packetReceived(encoding: 0, at: Self.now)
        bench.selection.updateTarget(bench.source, at: Self.now)
        #expect(bench.selection.wantedKeyFrame == 0 && bench.selection.mainEncoding == 0)
        #expect(bench.selection.currentEncoding == nil && !bench.selection.isSending(encoding: 0))
        #expect(bench.give(isKey: true, encoding: 1).allSatisfy { $0 == .discard })
        #expect(bench.give(isKey: true, encoding: 0).first == .begin)
        #expect(bench.selection.isSending(encoding: 0) && bench.selection.wantedKeyFrame == nil)
        #expect(bench.report() == "0/0")
    }

    @Test func `a stream without layers passes whole and reports none`() {
        var bench = Bench(.h264, ScalabilitySettings(spatialLayers: 1, temporalLayers: 1))
        #expect(bench.give(isKey: false).allSatisfy { $0 == nil })
        #expect(bench.report() == nil && bench.selection.heldThrough == nil)
        #expect(bench.selection.wantedKeyFrame == nil && bench.selection.isSending(encoding: 0))
    }

    @Test func `how an output differed from its input is remembered of the newest 4096`() {
        var selection = LayerSelection(
            codec: .vp9, encodings: 1, ScalabilitySettings(spatialLayers: 3, temporalLayers: 1), preferred: nil)
        for output: UInt64 in 0..<5000 {
            selection.packetSent(output: output, output % 3 == 0 ? .marker : output % 3 == 1 ? .paddingOnly : .none)
        }
        for output: UInt64 in 904..<5000 {
            let expected: LayerSelection.Change = output % 3 == 0 ? .marker : output % 3 == 1 ? .paddingOnly : .none
            #expect(selection.change(ofOutput: output) == expected)
        }
    }

    @Test func `catching up keeps to the base layer in time until it is over`() {
        var bench = Bench(.vp9, ScalabilitySettings(spatialLayers: 1, temporalLayers: 3))
        bench.selection.limitToBase(true)
        _ = bench.give(isKey: true)
        #expect(bench.report() == "0/0")
        bench.selection.limitToBase(false)
        for _ in 0..<8 { _ = bench.give(isKey: false) }
        #expect(bench.report() == "0/2")
    }

    @Test(arguments: [CodecKind.opus, .vp8, .vp9])
    func `a selection goes on elsewhere, with what was sent`(codec: CodecKind) throws {
        let packets = LayerSnapshotTests.packets(isKSVC: false)
        let make = {
            Bench(
                codec, encodings: codec == .vp8 ? 3 : 1,
                ScalabilitySettings(spatialLayers: codec == .vp9 ? 3 : 1, temporalLayers: codec == .opus ? 1 : 3),
                preferred: ConsumerLayers(spatial: 2, temporal: 1))
        }
        try SnapshotScript(countOffset: 2, make()) { bench, index, random, now in
            let packet = packets[index]
            switch random.below(20) {
            case 0:
                bench.selection.prefer(
                    ConsumerLayers(spatial: UInt8(random.below(4)), temporal: UInt8(random.below(4))))
            case 1 where random.isOne(in: 3): bench.selection.restart()
            case 2: bench.selection.limitToBase(random.isOne(in: 2))
            case 3: bench.selection.pictures.synchronize(packet.layers)
            case 4:
                bench.selection.previous = LayerSelection.Previous(
                    encoding: UInt8(random.below(8)), endInput: UInt64(index), timestampOffset: 7,
                    pictures: bench.selection.pictures)
            case 5: bench.selection.joinGraceEnd = random.isOne(in: 2) ? nil : now + LayerSelection.joinGracePeriod
            case 6: bench.selection.firstOutput = UInt64(index)
            case 7, 8: bench.selection.updateTarget(bench.source, at: now)
            case 9 where random.isOne(in: 4): bench.selection.encodingRestarted(random.below(3))
            default: break
            }
            let action = bench.give(packet, encoding: codec == .vp8 ? random.below(3) : 0, at: now)
            let changes: [LayerSelection.Change] = [.none, .marker, .paddingOnly]
            bench.selection.packetSent(output: UInt64(4000 + index), changes[random.below(3)])
            let name = bench.selection.pictures.rewrite(packet.layers)
            let selection = bench.selection
            return "\(action, default: "whole") \(bench.selection.pollChange()) \(selection.heldThrough ?? 0)"
                + " \(selection.change(ofOutput: UInt64(4000 + index - random.below(90)))) \(name, default: "")"
                + " \(selection.wantedKeyFrame ?? -1) \(selection.isSending(encoding: 1)) \(selection.mainEncoding)"
                + " \(selection.preferred, default: "") \(selection.previous?.endInput ?? 0) \(selection.firstOutput)"
                + " \(selection.joinGraceEnd, default: "") \(selection.hasLayers)"
        }.check()
    }
}
