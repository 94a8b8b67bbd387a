import Testing

@testable import RoundhouseMedia

@Suite("VP8 payloads")
struct VP8DescriptorTests {
    private func parse(_ hex: String) throws -> VP8Descriptor {
        try WireSamples.hex(hex).withUnsafeBytes { try VP8Descriptor(parsing: $0) }
    }

    @Test func `a key frame starts partition 0 and has P clear`() throws {
        #expect(try parse("10 00").isKeyFrame)
        #expect(try !parse("10 01").isKeyFrame, "P is set")
        #expect(try !parse("00 00").isKeyFrame, "S is clear")
        #expect(try !parse("11 00").isKeyFrame, "another partition")
    }

    @Test func `every extension field is found with its offset`() throws {
        let full = try parse("b0 f0 8102 37 a5 00")
        #expect(full.isNonReference && full.startsPartition && full.length == 6)
        #expect(full.pictureID == 0x0102 && full.hasLongPictureID && full.pictureIDOffset == 2)
        #expect(full.tl0PictureIndex == 0x37 && full.tl0PictureIndexOffset == 4)
        #expect(full.temporalLayer == 2 && full.isLayerSync && full.keyIndex == 5)
        let short = try parse("90 80 7f 01")
        #expect(short.pictureID == 0x7F && !short.hasLongPictureID && short.length == 3)
        #expect(short.temporalLayer == nil && short.keyIndex == nil && short.tl0PictureIndex == nil)
        let keyIndexOnly = try parse("90 10 e5 00")
        #expect(keyIndexOnly.keyIndex == 5 && keyIndexOnly.temporalLayer == nil && !keyIndexOnly.isLayerSync)
    }

    @Test func `a descriptor cut anywhere is truncated`() {
        WireSamples.forEachTruncation(of: WireSamples.hex("b0 f0 8102 37 a5 00")) { buffer in
            #expect(throws: WireError.truncated) { try VP8Descriptor(parsing: buffer) }
        }
    }
}

@Suite("VP9 payloads")
struct VP9DescriptorTests {
    /// Non-flexible, with layers and a scalability structure of two layers, both sizes and a group of two pictures.
    static let structured = WireSamples.hex(
        """
        aa 8123 11 55 38 0140 00b4 0280 0168 02 04 01 18 01 02
        """)

    private func parse(_ hex: String) throws -> VP9Descriptor {
        try WireSamples.hex(hex).withUnsafeBytes { try VP9Descriptor(parsing: $0) }
    }

    @Test func `a key frame is not predicted, begins a frame, and is of spatial layer 0`() throws {
        #expect(try parse("08").isKeyFrame)
        #expect(try !parse("48").isKeyFrame, "P is set")
        #expect(try !parse("04").isKeyFrame, "B is clear")
        #expect(try parse("28 00 00").isKeyFrame)
        #expect(try !parse("28 02 00").isKeyFrame, "spatial layer 1")
    }

    @Test func `layer fields are found`() throws {
        let descriptor = try parse("ad 05 95 77")
        #expect(descriptor.pictureID == 5 && !descriptor.hasLongPictureID && descriptor.pictureIDOffset == 1)
        #expect(descriptor.temporalLayer == 4 && descriptor.isSwitchingUpPoint)
        #expect(descriptor.spatialLayer == 2 && descriptor.isInterLayerDependent)
        #expect(descriptor.tl0PictureIndex == 0x77 && descriptor.length == 4)
        #expect(descriptor.endsFrame && descriptor.isNotReferenceForUpperLayers && descriptor.spatialLayerCount == nil)
    }

    @Test func `flexible mode has reference differences and no TL0PICIDX`() throws {
        let descriptor = try parse("f8 8001 20 03 05 02 ff")
        #expect(descriptor.isFlexible && descriptor.isInterPredicted && descriptor.tl0PictureIndex == nil)
        #expect(descriptor.length == 7 && descriptor.temporalLayer == 1)
        #expect(try parse("18 03 05").length == 1, "a frame without prediction has no differences")
        #expect(throws: WireError.malformed) { try parse("50 03 05 07 02") }
    }

    @Test func `the scalability structure is skipped with all its parts`() throws {
        let descriptor = try Self.structured.withUnsafeBytes { try VP9Descriptor(parsing: $0) }
        #expect(descriptor.spatialLayerCount == 2 && descriptor.length == Self.structured.count)
        #expect(descriptor.isKeyFrame && descriptor.pictureID == 0x0123)
        WireSamples.forEachTruncation(of: Self.structured) { buffer in
            #expect(throws: WireError.truncated) { try VP9Descriptor(parsing: buffer) }
        }
    }
}

@Suite("Key frames")
struct KeyFrameTests {
    private func isKey(_ codec: CodecKind, _ hex: String) -> Bool {
        WireSamples.hex(hex).withUnsafeBytes { isKeyFrame(codec: codec, payload: $0) }
    }

    @Test func `a key frame of H.264 has a sequence parameter set: alone, aggregated, or at a fragment's start`() {
        #expect(isKey(.h264, "67 42"))
        #expect(!isKey(.h264, "65 88"), "an IDR picture without parameter sets")
        #expect(!isKey(.h264, "61 88"))
        #expect(isKey(.h264, "78 0002 6801 0003 674201"), "STAP-A with a PPS first")
        #expect(!isKey(.h264, "78 0002 6801 0002 6588"))
        #expect(!isKey(.h264, "78 0009 67"), "a size beyond the packet")
        #expect(!isKey(.h264, "78 0000 0002 67 01"), "an empty unit")
        #expect(isKey(.h264, "7c 87 00") && isKey(.h264, "7d 87 00"), "the start of a fragmented set")
        #expect(!isKey(.h264, "7c 07 00") && !isKey(.h264, "7c 85 00") && !isKey(.h264, "7c"))
    }

    @Test func `a key frame of H.265 is a random access picture or parameter set, in any packing`() {
        for type in UInt8(0)...47 {
            let payload = [type << 1, 1, 0]
            let expected = (16...21).contains(type) || type == 32 || type == 33
            #expect(payload.withUnsafeBytes { isKeyFrame(codec: .h265, payload: $0) } == expected, "type \(type)")
        }
        #expect(isKey(.h265, "6001 0003 020100 0003 400100"), "an aggregate with a VPS")
        #expect(!isKey(.h265, "6001 0003 020100"))
        #expect(!isKey(.h265, "6001 0009 4001"))
        #expect(isKey(.h265, "6201 93 00"), "the start of a fragmented IDR picture")
        #expect(
            !isKey(.h265, "6201 13 00") && !isKey(.h265, "6201 81 00") && !isKey(.h265, "6201") && !isKey(.h265, "40"))
    }

    @Test func `a key frame of AV1 has the aggregation header's N bit`() {
        #expect(isKey(.av1, "18 0a") && !isKey(.av1, "10 0a") && !isKey(.av1, "88 0a") && !isKey(.av1, "08"))
    }

    @Test func `VP8 and VP9 show key frames in their descriptors, a codec without them never`() {
        #expect(isKey(.vp8, "10 00") && !isKey(.vp8, "10") && !isKey(.vp8, ""))
        #expect(isKey(.vp9, "08 00") && !isKey(.vp9, ""))
        #expect(!isKey(.opus, "10 00") && !isKey(.other, "10 00"))
        for codec in [CodecKind.h264, .h265, .av1] { #expect(!isKey(codec, "")) }
    }

    @Test func `an Opus packet is DTX if all its frames are empty`() {
        func isDTX(_ hex: String) -> Bool { WireSamples.hex(hex).withUnsafeBytes { OpusPayload.isDTX($0) } }
        #expect(isDTX("78") && isDTX("79") && isDTX("7a 00"))
        #expect(!isDTX("78 00") && !isDTX("7a") && !isDTX("7b 01") && !isDTX("7b") && !isDTX(""))
    }
}
