// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// The VP8 payload descriptor (RFC 7741 §4.2), and whether the payload behind it starts a key frame.
struct VP8Descriptor: Hashable, Sendable {
    /// The descriptor's length in bytes, 1…6.
    let length: Int
    /// N: other frames do not refer to this one.
    let isNonReference: Bool
    /// S: the first packet of a partition.
    let startsPartition: Bool
    /// PID, 0…7.
    let partitionIndex: UInt8
    /// 7 or 15 bits.
    let pictureID: UInt16?
    /// M: the picture id has 15 bits.
    let hasLongPictureID: Bool
    /// Where the picture id's first byte lies in the payload.
    let pictureIDOffset: Int?
    let tl0PictureIndex: UInt8?
    let tl0PictureIndexOffset: Int?
    /// TID, 0…3.
    let temporalLayer: UInt8?
    /// Y: the frame depends on the base temporal layer only.
    let isLayerSync: Bool
    /// KEYIDX, 0…31.
    let keyIndex: UInt8?
    let isKeyFrame: Bool

    /// - Throws: `truncated`; also where nothing follows the descriptor.
    init(parsing payload: UnsafeRawBufferPointer) throws(WireError) {
        var reader = unsafe ByteReader(payload)
        let first = try reader.readUInt8()
        isNonReference = first & 0x20 != 0
        startsPartition = first & 0x10 != 0
        partitionIndex = first & 0x07
        let flags = first & 0x80 != 0 ? try reader.readUInt8() : 0

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

        let hasIndex = flags & 0x40 != 0
        tl0PictureIndexOffset = hasIndex ? reader.offset : nil
        tl0PictureIndex = hasIndex ? try reader.readUInt8() : nil

        // T and K share a byte.
        let layers = flags & 0x30 != 0 ? try reader.readUInt8() : 0
        temporalLayer = flags & 0x20 != 0 ? layers >> 6 : nil
        isLayerSync = flags & 0x20 != 0 && layers & 0x20 != 0
        keyIndex = flags & 0x10 != 0 ? layers & 0x1F : nil

        length = reader.offset
        // RFC 7741 §4.3: P, the inverse key frame flag, is in the first byte of the first partition.
        let frame = try reader.readUInt8()
        isKeyFrame = startsPartition && partitionIndex == 0 && frame & 1 == 0
    }
}
