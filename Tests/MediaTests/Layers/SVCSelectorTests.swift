import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Both selectors of an SVC stream, as a `LayerSelection` has them.
private struct Bench {
    var spatial: SVCSelector
    var temporal = TemporalSelector()

    init(spatialLayers: Int, isKSVC: Bool) {
        spatial = SVCSelector(spatialLayers: spatialLayers, isKSVC: isKSVC)
    }

    var layers: LayerPosition? { spatial.spatial.map { LayerPosition(spatial: $0, temporal: Int(temporal.current)) } }
    var wantsKeyFrame: Bool { spatial.wantsKeyFrame }
    var heldThrough: UInt64 { spatial.heldThrough }

    mutating func setTarget(_ layers: LayerPosition) {
        spatial.setTarget(layers.spatial)
        temporal.setTarget(layers.temporal)
    }

    mutating func packetReceived(
        _ layers: PacketLayers, isKeyFrame: Bool, sequence: UInt64, timestamp: UInt32
    ) -> LayerDecision {
        spatial.packetReceived(
            layers, isKeyFrame: isKeyFrame, sequence: sequence, timestamp: timestamp, temporal: &temporal)
    }
}

@Suite("SVCSelector")
struct SVCSelectorTests {
    private func judge(_ packet: SVCStream.Packet, _ selector: inout Bench) -> LayerDecision {
        selector.packetReceived(
            packet.layers, isKeyFrame: packet.isKeyFrame, sequence: packet.sequence, timestamp: packet.timestamp)
    }

    /// The layers of the packets that pass, and where markers are set.
    private func pass(_ packets: [SVCStream.Packet], _ selector: inout Bench) -> [(spatial: Int, marker: Bool)] {
        packets.compactMap { packet in
            let decision = judge(packet, &selector)
            guard decision.action == .forward || decision.action == .begin else { return nil }
            return (packet.frame.spatial, decision.setsMarker || packet.hasMarker)
        }
    }

    @Test(arguments: [false, true])
    func `nothing passes before a key frame, and the first packet of one begins`(isKSVC: Bool) {
        var stream = SVCStream(isKSVC: isKSVC)
        let key = stream.picture(isKey: true)
        let delta = stream.picture(isKey: false)
        var selector = Bench(spatialLayers: 3, isKSVC: isKSVC)
        check(selector.wantsKeyFrame && selector.layers == nil)
        for packet in delta { check(judge(packet, &selector) == .hold) }
        let again = stream.picture(isKey: true)
        check(judge(again[0], &selector).action == .begin)
        check(judge(again[1], &selector) == .forward)
        check(selector.layers == LayerPosition(spatial: 2, temporal: 7) && !selector.wantsKeyFrame)
        _ = key
    }

    @Test func `full SVC goes down where the lower layer's frame ends, with a marker, and up at a key frame`() {
        var stream = SVCStream(isKSVC: false)
        var selector = Bench(spatialLayers: 3, isKSVC: false)
        let whole = pass(stream.picture(isKey: true), &selector)
        check(whole.map(\.spatial) == [0, 0, 1, 1, 2, 2])
        check(whole.map(\.marker) == [false, false, false, false, false, true])
        selector.setTarget(LayerPosition(spatial: 1, temporal: 2))
        check(!selector.wantsKeyFrame)
        let cut = pass(stream.picture(isKey: false), &selector)
        check(cut.map(\.spatial) == [0, 0, 1, 1] && cut.map(\.marker) == [false, false, false, true])
        selector.setTarget(LayerPosition(spatial: 2, temporal: 2))
        check(selector.wantsKeyFrame)
        let waiting = pass(stream.picture(isKey: false), &selector)
        check(waiting.map(\.spatial) == [0, 0, 1, 1])
        let up = pass(stream.picture(isKey: true), &selector)
        check(up.map(\.spatial) == [0, 0, 1, 1, 2, 2] && !selector.wantsKeyFrame)
    }

    @Test func `a downgrade in the middle of a picture takes effect where the lower layer's frame ends`() {
        var stream = SVCStream(isKSVC: false)
        var selector = Bench(spatialLayers: 3, isKSVC: false)
        let picture = stream.picture(isKey: true)
        _ = judge(picture[0], &selector)
        selector.setTarget(LayerPosition(spatial: 0, temporal: 2))
        let last = judge(picture[1], &selector)
        check(last.action == .forward && last.setsMarker)
        check(judge(picture[2], &selector) == .drop)
    }

    @Test func `K-SVC changes at key frames only, and forwards one layer with its key frame's lower ones`() {
        var stream = SVCStream(isKSVC: true)
        var selector = Bench(spatialLayers: 3, isKSVC: true)
        check(pass(stream.picture(isKey: true), &selector).map(\.spatial) == [0, 0, 1, 1, 2, 2])
        check(pass(stream.picture(isKey: false), &selector).map(\.spatial) == [2, 2])
        selector.setTarget(LayerPosition(spatial: 1, temporal: 2))
        check(selector.wantsKeyFrame)
        check(pass(stream.picture(isKey: false), &selector).map(\.spatial) == [2, 2])
        let key = pass(stream.picture(isKey: true), &selector)
        check(key.map(\.spatial) == [0, 0, 1, 1] && key.last?.marker == true)
        let delta = pass(stream.picture(isKey: false), &selector)
        check(delta.map(\.spatial) == [1, 1] && delta.map(\.marker) == [false, true])
        check(!selector.wantsKeyFrame)
    }

    @Test func `a key picture whose first packet comes late is sent whole, and the lower layer goes on behind it`() {
        var stream = SVCStream(isKSVC: true)
        var selector = Bench(spatialLayers: 3, isKSVC: true)
        _ = pass(stream.picture(isKey: true), &selector)
        selector.setTarget(LayerPosition(spatial: 0, temporal: 7))
        var key = stream.picture(isKey: true)
        let first = key.removeFirst()
        let lost = key.remove(at: 2)
        check(pass(key, &selector).map(\.spatial) == [0, 1, 2, 2])
        check(judge(first, &selector).action == .forward)
        check(selector.layers?.spatial == 2)
        check(pass(stream.picture(isKey: false), &selector).map(\.spatial) == [0, 0])
        check(selector.layers?.spatial == 0 && !selector.wantsKeyFrame)
        // What was missing of the picture comes after all, and completes it.
        check(lost.frame.spatial == 1 && judge(lost, &selector).action == .forward)
    }

    @Test(arguments: [false, true])
    func `when the stream loses its top layer, the receiver is given the highest left`(isKSVC: Bool) {
        var stream = SVCStream(isKSVC: isKSVC)
        var selector = Bench(spatialLayers: 3, isKSVC: isKSVC)
        _ = pass(stream.picture(isKey: true), &selector)
        stream.spatialLayers = 2
        _ = pass(stream.picture(isKey: false), &selector)
        check(selector.wantsKeyFrame == isKSVC)
        let key = pass(stream.picture(isKey: true), &selector)
        check(key.map(\.spatial) == [0, 0, 1, 1] && key.last?.marker == true)
        check(selector.layers?.spatial == 1 && !selector.wantsKeyFrame)
        stream.spatialLayers = 3
        _ = pass(stream.picture(isKey: false), &selector)
        check(selector.wantsKeyFrame, "the wanted layer is back")
    }

    @Test func `packets that came before their key frame's first packet are to be sent behind it`() {
        var stream = SVCStream(isKSVC: false)
        var selector = Bench(spatialLayers: 3, isKSVC: false)
        let key = stream.picture(isKey: true)
        check(judge(key[2], &selector) == .hold && judge(key[1], &selector) == .hold)
        check(judge(key[0], &selector).action == .begin)
        #expect(selector.heldThrough == key[2].sequence)
        check(judge(key[1], &selector) == .forward && judge(key[2], &selector) == .forward)
    }

    @Test func `a key frame whose upper layers were left out before its first packet came raises nothing`() {
        var stream = SVCStream(isKSVC: false)
        var selector = Bench(spatialLayers: 3, isKSVC: false)
        selector.setTarget(LayerPosition(spatial: 0, temporal: 2))
        _ = pass(stream.picture(isKey: true), &selector)
        selector.setTarget(LayerPosition(spatial: 2, temporal: 2))
        let key = stream.picture(isKey: true)
        check(judge(key[4], &selector) == .drop)
        for packet in [key[0], key[1]] { check(judge(packet, &selector).action == .forward) }
        check(judge(key[5], &selector) == .drop && selector.wantsKeyFrame)
        // Overtaken by the base layer's own packets only, it does.
        let next = stream.picture(isKey: true)
        for index in [1, 0, 2, 3, 4, 5] { check(judge(next[index], &selector).action == .forward) }
        check(!selector.wantsKeyFrame)
    }

    @Test(
        arguments: [false, true], 1...6 as ClosedRange<UInt64>)
    func `through late repairs and reordering, no picture is cut or lacks what it needs`(isKSVC: Bool, seed: UInt64) {
        var random = WireSamples.Generator(seed: seed)
        var stream = SVCStream(isKSVC: isKSVC)
        var selector = Bench(spatialLayers: 3, isKSVC: isKSVC)
        var numbers = SequenceRewriter(firstOutput: 1)
        var pending: [(at: Int, packet: SVCStream.Packet)] = []
        var all: [SVCStream.Frame: Int] = [:]
        var sent: [SVCStream.Frame: Int] = [:]
        var outputs: Set<UInt64> = []
        var repaired: Set<Int> = []
        var changes: [Int] = []
        var order = 0
        var newest = 0
        for _ in 0..<500 {
            if random.next() % 20 == 0 {
                selector.setTarget(LayerPosition(spatial: Int(random.next() % 3), temporal: Int(random.next() % 3)))
            }
            for packet in stream.picture(isKey: selector.wantsKeyFrame && random.next() % 4 == 0) {
                let isLost = random.next() % 25 == 0
                all[packet.frame, default: 0] += 1
                order += 1
                pending.append((order + (isLost ? 30 : Int(random.next() % 3)), packet))
            }
            for (_, packet) in pending.filter({ $0.at <= order }).sorted(by: { $0.at < $1.at }) {
                // What comes behind the next picture fills its number, wanted or not.
                if packet.frame.picture < newest { repaired.insert(packet.frame.picture) }
                newest = max(newest, packet.frame.picture)
                let before = selector.layers
                let decision = judge(packet, &selector)
                if before != selector.layers { changes.append(packet.frame.picture) }
                switch decision.action {
                case .discard, .hold: continue
                case .drop:
                    numbers.drop(packet.sequence)
                    continue
                case .begin: numbers.synchronize(at: packet.sequence)
                case .forward: break
                }
                guard let output = numbers.rewrite(packet.sequence) else { continue }
                #expect(outputs.insert(output).inserted)
                sent[packet.frame, default: 0] += 1
            }
            pending.removeAll { $0.at <= order }
        }
        // Pictures that were not in time, and those of a change and around it, may be cut.
        let excused = repaired.union(changes.flatMap { ($0 - 1)...($0 + 1) })
        var examined = 0
        for (frame, count) in sent where frame.picture < 490 && !excused.contains(frame.picture) {
            #expect(count == all[frame], "\(frame) is whole")
            examined += 1
            for needed in stream.references[frame] ?? [] { #expect(sent[needed] != nil, "\(frame) needs \(needed)") }
        }
        #expect(examined > 100)
    }

    @Test func `a late packet follows its own picture; of an unwanted one only the number is used`() {
        var stream = SVCStream(isKSVC: false)
        var selector = Bench(spatialLayers: 3, isKSVC: false)
        selector.setTarget(LayerPosition(spatial: 0, temporal: 0))
        _ = pass(stream.picture(isKey: true), &selector)
        let older = stream.picture(isKey: false)
        _ = pass(stream.picture(isKey: false), &selector)
        check(judge(older[4], &selector) == .drop && judge(older[0], &selector).action == .drop, "layer 2 in time")
        selector.setTarget(LayerPosition(spatial: 1, temporal: 2))
        _ = pass(stream.picture(isKey: true), &selector)
        let cut = stream.picture(isKey: false)
        _ = pass(Array(cut[..<3]), &selector)
        selector.setTarget(LayerPosition(spatial: 0, temporal: 2))
        _ = pass(stream.picture(isKey: false), &selector)
        check(judge(cut[3], &selector) == LayerDecision(action: .forward, setsMarker: true))
        check(judge(cut[4], &selector) == .drop)
    }

    @Test(
        arguments: [false, true], 1...12 as ClosedRange<UInt64>)
    func `whatever is asked for, pictures decode, end with a marker and have no gap`(isKSVC: Bool, seed: UInt64) {
        var random = WireSamples.Generator(seed: seed)
        var stream = SVCStream(isKSVC: isKSVC)
        var selector = Bench(spatialLayers: 3, isKSVC: isKSVC)
        var numbers = SequenceRewriter(firstOutput: 1)
        var whole: Set<SVCStream.Frame> = []
        var lastOutput: UInt64 = 0
        var wanted = LayerPosition(spatial: 2, temporal: 2)
        selector.setTarget(wanted)
        for _ in 0..<600 {
            if random.next() % 12 == 0 {
                wanted = LayerPosition(spatial: Int(random.next() % 3), temporal: Int(random.next() % 3))
                selector.setTarget(wanted)
            }
            let packetsPerFrame = 1 + Int(random.next() % 3)
            let packets = stream.picture(
                isKey: selector.wantsKeyFrame && random.next() % 3 == 0, packetsPerFrame: packetsPerFrame)
            var sent: [Bool] = []
            for packet in packets {
                let decision = judge(packet, &selector)
                switch decision.action {
                case .discard, .hold: continue
                case .drop:
                    numbers.drop(packet.sequence)
                    continue
                case .begin: numbers.synchronize(at: packet.sequence)
                case .forward: break
                }
                let output = numbers.rewrite(packet.sequence)
                check(output == lastOutput + 1)
                lastOutput = output ?? 0
                sent.append(decision.setsMarker || packet.hasMarker)
                if packet.endsFrame { whole.insert(packet.frame) }
                for needed in stream.references[packet.frame] ?? [] {
                    check(whole.contains(needed), "\(packet.frame) needs \(needed)")
                }
            }
            check(sent.lastIndex(of: false) ?? -1 == sent.count - 2 || sent.count < 2)
            check(sent.isEmpty || sent.last == true)
        }
        for _ in 0..<12 { _ = pass(stream.picture(isKey: selector.wantsKeyFrame), &selector) }
        check(selector.layers == wanted)
    }

    @Test func `AV1 has its layers from the dependency descriptor, in K-SVC with its key frame's lower ones`() {
        var reader = LayerReader(codec: .av1)
        var selector = Bench(spatialLayers: 3, isKSVC: true)
        var sequence: UInt64 = 0
        func unit(_ templates: [Int], isKey: Bool, timestamp: UInt32) -> [Int] {
            templates.enumerated().compactMap { index, template in
                var writer = DescriptorWriter()
                writer.templateID = template
                if isKey, index == 0 { writer.structure = .l3t2Key() }
                sequence += 1
                let layers = writer.bytes.withUnsafeBytes { descriptor in
                    reader.read(
                        payload: UnsafeRawBufferPointer(start: nil, count: 0), descriptor: descriptor,
                        sequence: sequence)
                }
                let decision = selector.packetReceived(
                    layers, isKeyFrame: isKey && index == 0, sequence: sequence, timestamp: timestamp)
                guard decision.action == .forward || decision.action == .begin else { return nil }
                return template + (decision.setsMarker ? 100 : 0)
            }
        }
        selector.setTarget(LayerPosition(spatial: 1, temporal: 0))
        check(unit([0, 3, 6], isKey: true, timestamp: 0) == [0, 103])
        check(unit([2, 5, 8], isKey: false, timestamp: 1) == [])
        selector.setTarget(LayerPosition(spatial: 1, temporal: 7))
        check(unit([2, 5, 8], isKey: false, timestamp: 2) == [], "a discardable frame is no switching point")
        check(unit([1, 4, 7], isKey: false, timestamp: 3) == [104])
        check(unit([2, 5, 8], isKey: false, timestamp: 4) == [105])
        selector.setTarget(LayerPosition(spatial: 2, temporal: 7))
        check(unit([1, 4, 7], isKey: false, timestamp: 5) == [104])
        check(unit([0, 3, 6], isKey: true, timestamp: 6) == [0, 3, 106])
        check(unit([2, 5, 8], isKey: false, timestamp: 7) == [108])
    }

    @Test func `a packet whose descriptor makes no sense passes`() {
        var reader = LayerReader(codec: .vp9)
        let layers = [UInt8(0xFF)].withUnsafeBytes {
            reader.read(payload: $0, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: 1)
        }
        let failures = reader.failures
        check(failures == 1 && layers == PacketLayers())
        var selector = Bench(spatialLayers: 3, isKSVC: true)
        check(
            selector.packetReceived(layers, isKeyFrame: true, sequence: 1, timestamp: 1).action
                == .begin)
        check(
            selector.packetReceived(layers, isKeyFrame: false, sequence: 2, timestamp: 2) == .forward)
    }
}
