import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("TemporalSelector and VP8 picture ids")
struct TemporalSelectorTests {
    /// A VP8 packet: X, I (15 bits), L, T.
    static func vp8(
        picture: Int, tl0: Int = 0, temporal: Int, sync: Bool = false, isKey: Bool = false, start: Bool = true
    )
        -> [UInt8]
    {
        [
            (start ? 0x90 : 0x80), 0xE0, 0x80 | UInt8(picture >> 8 & 0x7F), UInt8(picture & 0xFF), UInt8(tl0 & 0xFF),
            UInt8(temporal) << 6 | (sync ? 0x20 : 0), isKey ? 0 : 1,
        ]
    }

    static func layers(_ bytes: [UInt8], codec: CodecKind = .vp8) -> PacketLayers {
        var reader = LayerReader(codec: codec)
        return bytes.withUnsafeBytes {
            reader.read(payload: $0, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: 1)
        }
    }

    private func judge(
        _ selector: inout TemporalSelector, _ temporal: Int, sync: Bool = false, at picture: Int, start: Bool = true
    ) -> Bool {
        let layers = Self.layers(Self.vp8(picture: picture, temporal: temporal, sync: sync, start: start))
        let order = selector.order(of: UInt32(picture) &* 3000, sequence: UInt64(picture))
        return selector.packetReceived(layers, spatial: 0, isNext: order == .next)
    }

    @Test func `up goes only at a layer sync, by one layer; down when the next picture begins`() {
        var selector = TemporalSelector()
        selector.setTarget(0)
        selector.begin(timestamp: 0, sequence: 0, spatial: 0)
        check(!judge(&selector, 2, at: 1))
        selector.setTarget(2)
        check(!judge(&selector, 2, sync: true, at: 2), "layer 1 is missing")
        check(!judge(&selector, 1, at: 3), "no sync")
        check(!judge(&selector, 1, sync: true, at: 4, start: false), "not the picture's beginning")
        check(judge(&selector, 1, sync: true, at: 5) && selector.current == 1)
        check(!judge(&selector, 2, at: 6))
        check(judge(&selector, 2, sync: true, at: 7) && selector.current == 2)
        selector.setTarget(0)
        check(judge(&selector, 2, at: 7), "the picture is finished")
        check(!judge(&selector, 1, at: 8) && judge(&selector, 0, at: 9))
    }

    @Test func `a picture whose first packet was overtaken by one that was left out is no way up`() {
        var selector = TemporalSelector()
        selector.setTarget(0)
        selector.begin(timestamp: 0, sequence: 0, spatial: 0)
        selector.setTarget(2)
        check(!judge(&selector, 1, sync: true, at: 1, start: false))
        check(!judge(&selector, 1, sync: true, at: 1) && selector.current == 0)
        check(judge(&selector, 1, sync: true, at: 2) && selector.current == 1)
    }

    @Test func `a sync bit in the base layer is no way up, a key frame is`() {
        var selector = TemporalSelector()
        selector.setTarget(0)
        selector.begin(timestamp: 0, sequence: 0, spatial: 0)
        selector.setTarget(2)
        check(judge(&selector, 0, sync: true, at: 1) && selector.current == 0)
        let key = Self.layers(Self.vp8(picture: 2, temporal: 0, sync: true, isKey: true))
        _ = selector.order(of: 6000, sequence: 2)
        check(selector.packetReceived(key, spatial: 0, isNext: true) && selector.current == 2)
    }

    @Test func `packets without layers pass`() {
        var selector = TemporalSelector()
        selector.setTarget(0)
        selector.begin(timestamp: 0, sequence: 0, spatial: 0)
        check(selector.packetReceived(Self.layers([0x10, 1]), spatial: 0, isNext: true))
        check(selector.packetReceived(PacketLayers(), spatial: 0, isNext: true))
    }

    @Test func `H.265 goes up at a temporal sub-layer access picture`() {
        func picture(_ type: UInt8, _ temporal: UInt8) -> PacketLayers {
            Self.layers([type << 1, temporal + 1, 0], codec: .h265)
        }
        var selector = TemporalSelector()
        selector.setTarget(0)
        selector.begin(timestamp: 0, sequence: 0, spatial: 0)
        selector.setTarget(1)
        check(selector.packetReceived(picture(1, 0), spatial: 0, isNext: true))
        check(!selector.packetReceived(picture(0, 1), spatial: 0, isNext: true))
        check(selector.packetReceived(picture(3, 1), spatial: 0, isNext: true))
        check(selector.packetReceived(picture(0, 1), spatial: 0, isNext: true))
        check(!picture(1, 0).flags.isEmpty && Self.layers([2, 0, 0], codec: .h265) == PacketLayers.withoutLayers)
        // A fragmented one, and one cut short.
        check(Self.layers([49 << 1, 2, 0x83], codec: .h265).switchTo != 0)
        check(Self.layers([49 << 1, 2], codec: .h265).switchTo == 0)
    }

    @Test(
        arguments: 1...10 as ClosedRange<UInt64>)
    func `picture IDs have no gap whatever is left out, and late packets get their own again`(seed: UInt64) {
        var random = WireSamples.Generator(seed: seed)
        var rewriter = PictureIDRewriter()
        let start = 32_700
        var kept: [Int: UInt16] = [:]
        var next = UInt16(start)
        for number in 0..<300 {
            let layers = Self.layers(
                Self.vp8(picture: (start + number) & 0x7FFF, tl0: number / 2, temporal: number % 2))
            if number == 0 { rewriter.synchronize(layers) }
            if number > 0, random.next() % 3 == 0 {
                rewriter.drop(layers)
                check(rewriter.rewrite(layers) == nil)
                continue
            }
            let rewritten = rewriter.rewrite(layers)
            check(rewritten?.pictureID == next && rewritten?.tl0PictureIndex == UInt8(number / 2 & 0xFF))
            kept[number] = next
            next = (next + 1) & 0x7FFF
            // Any packet of the last hundred pictures, sent again.
            let older = max(0, number - Int(random.next() % 100))
            let again = rewriter.rewrite(Self.layers(Self.vp8(picture: (start + older) & 0x7FFF, temporal: 0)))
            check(again?.pictureID == kept[older])
        }
        let tooOld = rewriter.rewrite(Self.layers(Self.vp8(picture: (start + 100) & 0x7FFF, temporal: 0)))
        check(tooOld == nil)
    }

    @Test func `a picture lost upstream keeps its ID free, and leaving it out later changes no other`() {
        var rewriter = PictureIDRewriter()
        func layers(_ picture: Int) -> PacketLayers { Self.layers(Self.vp8(picture: picture, temporal: 0)) }
        rewriter.synchronize(layers(10))
        check(rewriter.rewrite(layers(10))?.pictureID == 10)
        rewriter.drop(layers(11))
        check(rewriter.rewrite(layers(14))?.pictureID == 13)
        rewriter.drop(layers(12))
        check(rewriter.rewrite(layers(12))?.pictureID == 11)
        check(rewriter.rewrite(layers(13))?.pictureID == 12)
        check(rewriter.rewrite(layers(14))?.pictureID == 13)
        check(rewriter.rewrite(layers(9)) == nil, "before the first")
    }

    @Test func `a late base picture behind an upper one that was left out keeps its ID and TL0PICIDX`() {
        var rewriter = PictureIDRewriter()
        let first = Self.layers(Self.vp8(picture: 0, tl0: 0, temporal: 0))
        rewriter.synchronize(first)
        check(rewriter.rewrite(first) == PictureIDRewriter.Rewritten(pictureID: 0, tl0PictureIndex: 0))
        rewriter.drop(Self.layers(Self.vp8(picture: 2, tl0: 1, temporal: 1)))
        let late = rewriter.rewrite(Self.layers(Self.vp8(picture: 1, tl0: 1, temporal: 0)))
        check(late == PictureIDRewriter.Rewritten(pictureID: 1, tl0PictureIndex: 1))
    }

    @Test(arguments: [7, 15])
    func `picture IDs roll over with upper layers left out on both sides, again and again`(bits: Int) {
        let cycle = 1 << bits
        func layers(_ picture: Int, tl0: Int, temporal: Int) -> PacketLayers {
            let id = picture % cycle
            if bits == 15 { return Self.layers(Self.vp8(picture: id, tl0: tl0 & 0xFF, temporal: temporal)) }
            return Self.layers([0x90, 0xE0, UInt8(id), UInt8(tl0 & 0xFF), UInt8(temporal) << 6, 1])
        }
        var rewriter = PictureIDRewriter()
        let start = cycle - 1
        rewriter.synchronize(layers(start, tl0: 0, temporal: 0))
        var wrong = 0
        for number in 0..<3 * cycle {
            let one = layers(start + number, tl0: number / 2, temporal: number % 2)
            if number % 2 == 1 {
                rewriter.drop(one)
                if rewriter.rewrite(one) != nil { wrong += 1 }
            } else {
                let expected = PictureIDRewriter.Rewritten(
                    pictureID: UInt16((start + number / 2) % cycle), tl0PictureIndex: UInt8(number / 2 & 0xFF))
                if rewriter.rewrite(one) != expected { wrong += 1 }
            }
        }
        check(wrong == 0)
    }

    @Test func `VP8 without layers of its own has them from the dependency descriptor, its picture IDs not`() {
        let video = LayeredVideo(temporalLayers: 3, usesDescriptorOnly: true)
        var pictures = LayeredVideo.Pictures()
        var reader = LayerReader(codec: .vp8)
        for number in 0..<8 {
            for frame in video.nextPicture(&pictures, isKey: number == 0) {
                let payload = video.prefix(of: frame, isFirst: true, isLast: true) + [1, 2, 3]
                let descriptor = video.descriptor(of: frame, isFirst: true, isLast: true)
                let layers = payload.withUnsafeBytes { payload in
                    descriptor.withUnsafeBytes {
                        reader.read(payload: payload, descriptor: $0, sequence: UInt64(number))
                    }
                }
                check(layers.flags.isSuperset(of: [.isKnown, .describesTargets, .hasPictureID, .hasTL0PictureIndex]))
                check(layers.temporalLayer == UInt8(frame.temporal))
                check(layers.pictureID == frame.pictureID && layers.tl0PictureIndex == frame.tl0)
                check(layers.pictureIDOffset == 2 && layers.tl0PictureIndexOffset == 4)
                for temporal in 0..<3 {
                    check(layers.isNeeded(spatial: 0, temporal: temporal) == (frame.temporal <= temporal))
                }
            }
        }
        check(reader.failures == 0)
        // Without the descriptor's structure nothing is known of layers; the names stay.
        var other = LayerReader(codec: .vp8)
        let frame = video.nextPicture(&pictures, isKey: false)[0]
        let layers = video.prefix(of: frame, isFirst: true, isLast: true).withUnsafeBytes { payload in
            video.descriptor(of: frame, isFirst: true, isLast: true).withUnsafeBytes {
                other.read(payload: payload, descriptor: $0, sequence: 9)
            }
        }
        check(!layers.flags.contains(.isKnown) && layers.pictureID == frame.pictureID && other.failures == 1)
    }

    @Test func `a new source continues both numberings, over every width`() {
        var rewriter = PictureIDRewriter()
        let first = Self.layers(Self.vp8(picture: 0x7FFF, tl0: 255, temporal: 0))
        rewriter.synchronize(first)
        check(rewriter.rewrite(first) == PictureIDRewriter.Rewritten(pictureID: 0x7FFF, tl0PictureIndex: 255))
        let second = Self.layers(Self.vp8(picture: 77, tl0: 9, temporal: 0))
        rewriter.synchronize(second)
        check(rewriter.rewrite(second) == PictureIDRewriter.Rewritten(pictureID: 0, tl0PictureIndex: 0))
        check(rewriter.rewrite(Self.layers(Self.vp8(picture: 76, temporal: 0))) == nil)
        // Seven bits, and no TL0PICIDX.
        let short = Self.layers([0x90, 0x80, 0x7E, 1])
        rewriter.synchronize(short)
        check(rewriter.rewrite(short)?.pictureID == 1)
        let wrapped = Self.layers([0x90, 0x80, 0x01, 1])
        check(rewriter.rewrite(wrapped)?.pictureID == 4)
    }

    @Test func `new picture IDs are written where the old ones were, and never beyond the payload`() {
        var bytes = Self.vp8(picture: 5, tl0: 6, temporal: 2)
        let layers = Self.layers(bytes)
        let names = PictureIDRewriter.Rewritten(pictureID: 0x1234, tl0PictureIndex: 0x56)
        bytes.withUnsafeMutableBytes { PictureIDRewriter.write(names, layers, into: $0) }
        check(bytes == [0x90, 0xE0, 0x92, 0x34, 0x56, 0x80, 1])
        for count in 0..<5 {
            var cut = Array(bytes[..<count]) + [0xEE, 0xEE, 0xEE]
            cut.withUnsafeMutableBytes {
                PictureIDRewriter.write(names, layers, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
            }
            check(cut.suffix(3) == [0xEE, 0xEE, 0xEE])
        }
        var short: [UInt8] = [0x90, 0x80, 0x7E, 1]
        let shortLayers = Self.layers(short)
        short.withUnsafeMutableBytes { PictureIDRewriter.write(names, shortLayers, into: $0) }
        check(short == [0x90, 0x80, 0x34, 1])
    }
}

extension PacketLayers {
    fileprivate static let withoutLayers = PacketLayers()
}
