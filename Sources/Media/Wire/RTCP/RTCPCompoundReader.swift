// Safe: each packet's end is compared with the buffer's; payloads are views that do not outlive it.

/// Walks the packets of an RTCP compound packet (RFC 3550 §6.1) without allocating.
///
/// A single packet that is not a report, as reduced-size RTCP allows (RFC 5506), is walked as well.
@safe struct RTCPCompoundReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// - Parameter bytes: the compound packet in the clear, without SRTCP's trailer.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// The next packet, or `nil` at the end. After an error the rest is meaningless: stop.
    /// - Throws: `truncated`, `unsupportedVersion`, or `malformed` for impossible padding.
    mutating func next() throws(WireError) -> RTCPPacketView? {
        guard unsafe offset < bytes.count else { return nil }
        guard unsafe bytes.count - offset >= 4 else { throw .truncated }
        let first = unsafe bytes[offset]
        guard first >> 6 == 2 else { throw .unsupportedVersion }
        // The length counts 32-bit words minus one (RFC 3550 §6.4.1).
        let length = unsafe 4 * (Int(bytes.uint16(provenAt: offset + 2)) + 1)
        guard let packet = unsafe bytes.view(from: offset, count: length) else { throw .truncated }
        var end = length
        if first & 0x20 != 0 {
            let padding = unsafe Int(packet[length - 1])
            guard padding > 0, padding <= length - 4 else { throw .malformed }
            end -= padding
        }
        defer { offset += length }
        return unsafe RTCPPacketView(
            type: RTCPPacketType(rawValue: packet[1]), count: first & 0x1F, range: offset..<offset + length,
            payload: UnsafeRawBufferPointer(rebasing: packet[4..<end]))
    }
}

extension ByteWriter {
    /// Starts an RTCP packet; its length is set by `endRTCP(_:)`.
    /// - Parameter count: 0…31.
    /// - Returns: the packet's offset.
    mutating func beginRTCP(_ type: RTCPPacketType, count: Int) throws(WireError) -> Int {
        guard (0...31).contains(count) else { throw .tooLarge }
        guard remaining >= 4 else { throw .noSpace }
        let start = self.count
        try writeUInt8(0x80 | UInt8(count))
        try writeUInt8(type.rawValue)
        try writeUInt16(0)
        return start
    }

    /// Fills the packet that starts at `start` up to whole words with zeros and sets its length.
    mutating func endRTCP(_ start: Int) throws(WireError) {
        try writeZeros((4 - (count - start) % 4) % 4)
        guard let length = UInt16(exactly: (count - start) / 4 - 1) else { throw .tooLarge }
        try overwriteUInt16(length, at: start + 2)
    }

    /// Runs `body`, and takes back what it wrote if it throws: a compound packet never holds half a packet.
    mutating func writeWhole(_ body: (inout ByteWriter) throws(WireError) -> Void) throws(WireError) {
        let start = count
        do {
            try body(&self)
        } catch {
            truncate(to: start)
            throw error
        }
    }
}
