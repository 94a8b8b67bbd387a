// Safe: each part's end is compared with the packet's before the part is read.

/// The header of one RTP packet (RFC 3550 §5.1): its fields, and where its parts lie in the packet.
///
/// Offsets count from the packet's first byte. Parsing allocates nothing and proves every offset, so that later reads
/// of the same packet need no more checks.
struct RTPHeader: Hashable, Sendable {
    /// The bytes every RTP packet starts with, before CSRCs and extensions.
    static let fixedLength = 12

    var hasMarker: Bool
    /// 0…127.
    var payloadType: UInt8
    var sequenceNumber: SequenceNumber
    var timestamp: RTPTimestamp
    var ssrc: SSRC
    /// 0…15.
    var csrcCount: UInt8
    /// The fixed header, CSRCs and the extension block together: the payload's offset.
    var headerLength: Int
    var hasExtension: Bool
    /// The extension block's "defined by profile" field; zero without a block.
    var extensionProfile: UInt16
    /// Where the extension block's elements start, behind profile and length.
    var extensionOffset: Int
    /// The length of the elements in bytes, a multiple of four.
    var extensionLength: Int
    /// The padding bit. In an encrypted packet the padding itself is inside the ciphertext.
    var hasPadding: Bool
    /// Padding bytes at the end, 0…255; zero for an encrypted packet.
    var paddingLength: Int
    /// What lies between header and padding. For an encrypted packet: ciphertext and authentication tag.
    var payloadLength: Int

    /// Where the payload lies.
    var payload: Range<Int> { headerLength..<headerLength + payloadLength }

    /// Parses a packet in the clear.
    /// - Throws: `unsupportedVersion`, `truncated`, or `malformed` when the padding is longer than the packet's rest.
    init(parsing packet: UnsafeRawBufferPointer) throws(WireError) {
        unsafe try self.init(parsingEncrypted: packet)
        guard hasPadding else { return }
        guard let last = unsafe packet.last, last > 0, Int(last) <= payloadLength else { throw .malformed }
        paddingLength = Int(last)
        payloadLength -= paddingLength
    }

    /// Parses the clear part of an SRTP packet (RFC 3711 §3.1): the last byte is not read as a padding count.
    /// - Throws: `unsupportedVersion` or `truncated`.
    init(parsingEncrypted packet: UnsafeRawBufferPointer) throws(WireError) {
        guard packet.count >= Self.fixedLength else { throw .truncated }
        let first = unsafe packet[0]
        guard first >> 6 == 2 else { throw .unsupportedVersion }
        hasPadding = first & 0x20 != 0
        hasExtension = first & 0x10 != 0
        csrcCount = first & 0x0F
        hasMarker = unsafe packet[1] & 0x80 != 0
        payloadType = unsafe packet[1] & 0x7F
        sequenceNumber = unsafe SequenceNumber(packet.uint16(provenAt: 2))
        timestamp = unsafe RTPTimestamp(packet.uint32(provenAt: 4))
        ssrc = unsafe SSRC(packet.uint32(provenAt: 8))
        var length = Self.fixedLength + 4 * Int(csrcCount)
        extensionProfile = 0
        extensionOffset = 0
        extensionLength = 0
        if hasExtension {
            guard packet.count >= length + 4 else { throw .truncated }
            extensionProfile = unsafe packet.uint16(provenAt: length)
            extensionOffset = length + 4
            extensionLength = unsafe 4 * Int(packet.uint16(provenAt: length + 2))
            length = extensionOffset + extensionLength
        }
        guard packet.count >= length else { throw .truncated }
        headerLength = length
        paddingLength = 0
        payloadLength = packet.count - length
    }
}
