// Safe: `end` never lies behind the packet, and each element is compared with it.

/// Walks the elements of an RTP header extension block in the one-byte or two-byte form (RFC 8285 §4.2, §4.3).
///
/// A block of any other profile yields nothing.
@safe struct RTPExtensionIterator {
    private enum Form { case oneByte, twoByte }

    private let packet: UnsafeRawBufferPointer
    private let form: Form
    private var offset: Int
    private let end: Int

    /// - Parameter packet: the bytes `header` was parsed from.
    init(_ header: RTPHeader, in packet: UnsafeRawBufferPointer) {
        unsafe self.packet = packet
        offset = header.extensionOffset
        form = header.extensionProfile == RTPExtensionForm.oneByteProfile ? .oneByte : .twoByte
        let isKnown = form == .oneByte || header.extensionProfile & 0xFFF0 == RTPExtensionForm.twoByteProfile
        // Safe: never beyond the packet, even if the header belongs to another one.
        end = header.hasExtension && isKnown ? min(offset + header.extensionLength, packet.count) : offset
    }

    /// The next element's id (never zero) and where its value lies in the packet; `nil` at the end, or where the block
    /// stops making sense: what came before stays valid.
    mutating func next() -> (id: UInt8, range: Range<Int>)? {
        while offset < end {
            let byte = unsafe packet[offset]
            offset += 1
            if byte == 0 { continue }  // Padding.
            let id: UInt8
            let length: Int
            switch form {
            case .oneByte:
                id = byte >> 4
                // RFC 8285 §4.2: id 15, and id 0 with a length, end the processing.
                guard id != 15, id != 0 else { return stop() }
                length = Int(byte & 0x0F) + 1
            case .twoByte:
                guard offset < end else { return stop() }
                id = byte
                length = unsafe Int(packet[offset])
                offset += 1
            }
            guard length <= end - offset else { return stop() }
            defer { offset += length }
            return (id, offset..<offset + length)
        }
        return nil
    }

    private mutating func stop() -> (id: UInt8, range: Range<Int>)? {
        offset = end
        return nil
    }
}
