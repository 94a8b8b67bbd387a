// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// Walks the items of all chunks of an SDES packet in place.
struct SourceDescription {
    private var reader: ByteReader
    private var chunksLeft: Int
    private var ssrc: SSRC?

    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.sourceDescription)
        reader = unsafe ByteReader(packet.payload)
        chunksLeft = Int(packet.count)
    }

    /// - Throws: `truncated` where a chunk or item does not fit.
    mutating func next() throws(WireError) -> SourceDescriptionItem? {
        while true {
            guard let ssrc else {
                guard chunksLeft > 0 else { return nil }
                chunksLeft -= 1
                self.ssrc = SSRC(try reader.readUInt32())
                continue
            }
            let type = try reader.readUInt8()
            if type == 0 {
                // The item list ends with one zero or more, up to the next word (RFC 3550 §6.5). The header has four
                // bytes, so words of the packet are words of the payload.
                self.ssrc = nil
                try reader.skip((4 - reader.offset % 4) % 4)
                continue
            }
            let length = Int(try reader.readUInt8())
            return unsafe SourceDescriptionItem(ssrc: ssrc, type: type, text: try reader.readBytes(length))
        }
    }

    /// Writes a packet with one chunk that holds only CNAME.
    /// - Parameter cname: at most 255 bytes of UTF-8.
    static func write(ssrc: SSRC, cname: String, into writer: inout ByteWriter) throws(WireError) {
        guard let length = UInt8(exactly: cname.utf8.count) else { throw .tooLarge }
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.sourceDescription, count: 1)
            try writer.writeUInt32(ssrc.rawValue)
            try writer.writeUInt8(SourceDescriptionItem.cname)
            try writer.writeUInt8(length)
            try writer.writeText(cname)
            // At least one zero ends the list.
            try writer.writeUInt8(0)
            try writer.endRTCP(start)
        }
    }
}
