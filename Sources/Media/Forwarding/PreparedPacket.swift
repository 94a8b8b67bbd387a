/// A received packet ready for fan-out: what every consumer needs to know of it, beside its header template and payload.
///
/// The template is an RTP header in the router's payload type and extension ids with places left for what differs from
/// consumer to consumer, so that a consumer copies it and patches a few fields (`HeaderTemplate`). Trivial: rings copy it.
struct PreparedPacket {
    /// `ProducerKey.rawValue`.
    var producer: UInt64
    /// The sender's sequence number, extended.
    var sequence: UInt64
    var timestamp: UInt32
    /// The header template's length in bytes.
    var headerLength: UInt16
    /// Padding included.
    var payloadLength: UInt16
    /// How much of the payload is RTP padding (RFC 3550 §5.1); its last byte says so too.
    var paddingLength: UInt8 = 0
    /// Index of the producer's encoding.
    var encoding: UInt8
    /// The router's payload type.
    var payloadType: UInt8
    var codec: CodecKind
    var isKeyFrame: Bool
    /// Carries nothing: consumers close the gap in their numbering.
    var isPaddingOnly: Bool
    /// What choosing layers needs to know.
    var layers = PacketLayers()
}

/// The layout of a header template, and the writing of one.
///
/// Bytes 0–11 are the fixed header, 12–15 the one-byte extension block's head (RFC 8285 §4.2); then, always at the same
/// offsets, abs-send-time, the transport-wide sequence number and eight bytes for a MID; then what is passed on from the
/// sender. A consumer that did not negotiate an element overwrites it with padding zeros.
enum HeaderTemplate {
    static let absSendTimeOffset = 16
    static let transportWideOffset = 20
    static let midOffset = 23
    static let midCapacity = 8
    static let proxiedOffset = 32
    /// 32 fixed bytes, then audio level 2, orientation 2, transmission offset 4, capture time 17, playout delay 4, padding.
    static let largestLength = 64

    /// Writes the template of a packet.
    /// - Parameters:
    ///   - destination: `largestLength` writable bytes.
    ///   - packet: the decrypted packet that `extensions` points into.
    /// - Returns: the template's length.
    // Safe: the offsets below end before `largestLength`; the capture time is the only element of the sender's choice,
    // and is checked to be 8 or 16 bytes inside `packet`.
    static func write(
        to destination: UnsafeMutableRawPointer, header: RTPHeader, payloadType: UInt8, extensions: ReceivedExtensions,
        in packet: UnsafeRawBufferPointer
    ) -> Int {
        destination.initializeMemory(as: UInt8.self, repeating: 0, count: largestLength)
        destination.storeBytes(of: 0x90, as: UInt8.self)
        destination.storeBytes(of: (header.hasMarker ? 0x80 : 0) | payloadType, toByteOffset: 1, as: UInt8.self)
        destination.storeBytes(of: UInt16(0xBEDE).bigEndian, toByteOffset: 12, as: UInt16.self)
        var offset = proxiedOffset
        func element(_ id: UInt8, length: Int) {
            destination.storeBytes(
                of: id << 4 | UInt8(truncatingIfNeeded: length - 1), toByteOffset: offset, as: UInt8.self)
            offset += 1
        }
        func number(_ value: UInt32, length: Int) {
            for index in 0..<length {
                let shift = UInt32(8 * (length - 1 - index))
                destination.storeBytes(
                    of: UInt8(truncatingIfNeeded: value >> shift), toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        if let level = extensions.audioLevel {
            element(RouterExtensionID.audioLevel, length: 1)
            number(UInt32(level.encoded), length: 1)
        }
        if let orientation = extensions.videoOrientation {
            element(RouterExtensionID.videoOrientation, length: 1)
            number(UInt32(orientation), length: 1)
        }
        if let transmissionOffset = extensions.transmissionOffset {
            element(RouterExtensionID.transmissionOffset, length: 3)
            number(UInt32(bitPattern: transmissionOffset), length: 3)
        }
        if let range = extensions.absCaptureTime, range.count == 8 || range.count == 16,
            range.upperBound <= packet.count
        {
            element(RouterExtensionID.absCaptureTime, length: range.count)
            for byte in packet[range] {
                destination.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        if let delay = extensions.playoutDelay {
            element(RouterExtensionID.playoutDelay, length: 3)
            number(delay.encoded, length: 3)
        }
        let length = (offset + 3) & ~3
        let words = UInt16(truncatingIfNeeded: (length - 16) / 4)
        destination.storeBytes(of: words.bigEndian, toByteOffset: 14, as: UInt16.self)
        return length
    }
}

/// What two shards tell each other over their ring; the first byte of each record.
enum RingRecordKind: UInt8 {
    /// A `PreparedPacket`, its header template and its payload.
    case packet
    /// A consumer needs a key frame: producer key and encoding.
    case keyFrameRequest
    /// Since when an encoding is sent, and its newest sender report: producer key, encoding, `SourceEncodings.Encoding`.
    case encodingAdvanced
    /// An encoding's stream ended or began anew: producer key and encoding.
    case encodingRestarted
    /// What a consumer of an audio producer loses: producer key and fraction of 256.
    case consumerLoss
}
