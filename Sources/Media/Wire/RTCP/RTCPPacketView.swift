// Safe: each packet's end is compared with the buffer's; payloads are views that do not outlive it.

/// One packet of an RTCP compound packet, read in place; must not outlive the buffer.
@safe struct RTCPPacketView {
    let type: RTCPPacketType
    /// The five bits behind version and padding: a report count, source count or feedback format.
    let count: UInt8
    /// Where the packet with its header lies in the compound packet.
    let range: Range<Int>
    /// What follows the four header bytes, without padding.
    let payload: UnsafeRawBufferPointer

    /// Checks that this is the packet a parser reads.
    func expect(_ type: RTCPPacketType, format: UInt8? = nil) throws(WireError) {
        guard self.type == type, format == nil || format == count else { throw .unexpectedType }
    }
}
