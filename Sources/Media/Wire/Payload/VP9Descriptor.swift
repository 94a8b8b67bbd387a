// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// The VP9 payload descriptor (RFC 9628 §4.2).
struct VP9Descriptor: Hashable, Sendable {
    /// At most this many reference differences follow one frame (RFC 9628 §4.2).
    static let maximumReferences = 3

    /// The descriptor's length in bytes.
    let length: Int
    /// P: the frame depends on earlier pictures.
    let isInterPredicted: Bool
    /// F.
    let isFlexible: Bool
    /// B.
    let startsFrame: Bool
    /// E.
    let endsFrame: Bool
    /// Z: no higher spatial layer of the picture refers to this frame.
    let isNotReferenceForUpperLayers: Bool
    /// 7 or 15 bits.
    let pictureID: UInt16?
    let hasLongPictureID: Bool
    /// Where the picture id's first byte lies in the payload.
    let pictureIDOffset: Int?
    /// SID, 0…7.
    let spatialLayer: UInt8?
    /// TID, 0…7.
    let temporalLayer: UInt8?
    /// U: from here on a receiver may switch up to this temporal layer.
    let isSwitchingUpPoint: Bool
    /// D: the frame depends on the next lower spatial layer of its picture.
    let isInterLayerDependent: Bool
    /// Only in non-flexible mode.
    let tl0PictureIndex: UInt8?
    /// How many spatial layers the scalability structure announces, 1…8.
    let spatialLayerCount: Int?

    /// P = 0 and B = 1 in the lowest spatial layer: a decoder can begin here.
    var isKeyFrame: Bool { !isInterPredicted && startsFrame && (spatialLayer ?? 0) == 0 }

    /// - Throws: `truncated`, or `malformed` for more reference differences than the RFC allows.
    init(parsing payload: UnsafeRawBufferPointer) throws(WireError) {
        var reader = unsafe ByteReader(payload)
        let flags = try reader.readUInt8()
        isInterPredicted = flags & 0x40 != 0
        isFlexible = flags & 0x10 != 0
        startsFrame = flags & 0x08 != 0
        endsFrame = flags & 0x04 != 0
        isNotReferenceForUpperLayers = flags & 0x01 != 0

        if flags & 0x80 != 0 {
            pictureIDOffset = reader.offset
            let byte = try reader.readUInt8()
            hasLongPictureID = byte & 0x80 != 0
            pictureID =
                hasLongPictureID ? UInt16(byte & 0x7F) << 8 | UInt16(try reader.readUInt8()) : UInt16(byte)
        } else {
            pictureIDOffset = nil
            hasLongPictureID = false
            pictureID = nil
        }

        if flags & 0x20 != 0 {
            let layers = try reader.readUInt8()
            temporalLayer = layers >> 5
            isSwitchingUpPoint = layers & 0x10 != 0
            spatialLayer = layers >> 1 & 0x07
            isInterLayerDependent = layers & 0x01 != 0
            tl0PictureIndex = isFlexible ? nil : try reader.readUInt8()
        } else {
            temporalLayer = nil
            isSwitchingUpPoint = false
            spatialLayer = nil
            isInterLayerDependent = false
            tl0PictureIndex = nil
        }

        if isFlexible, isInterPredicted { try Self.skipReferences(&reader) }
        spatialLayerCount = flags & 0x02 != 0 ? try Self.skipScalabilityStructure(&reader) : nil
        length = reader.offset
    }

    private static func skipReferences(_ reader: inout ByteReader) throws(WireError) {
        for _ in 0..<maximumReferences {
            // The low bit, N, says that another difference follows.
            if try reader.readUInt8() & 0x01 == 0 { return }
        }
        throw .malformed
    }

    /// RFC 9628 §4.2.1.
    private static func skipScalabilityStructure(_ reader: inout ByteReader) throws(WireError) -> Int {
        let head = try reader.readUInt8()
        let layerCount = Int(head >> 5) + 1
        // Y: width and height of each layer.
        if head & 0x10 != 0 { try reader.skip(4 * layerCount) }
        // G: a picture group follows.
        if head & 0x08 != 0 {
            for _ in 0..<(try reader.readUInt8()) {
                let picture = try reader.readUInt8()
                try reader.skip(Int(picture >> 2 & 0x03))
            }
        }
        return layerCount
    }
}
