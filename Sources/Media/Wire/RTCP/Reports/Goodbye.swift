// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// A BYE packet (RFC 3550 §6.6), read in place.
@safe struct Goodbye {
    private let payload: UnsafeRawBufferPointer
    /// 0…31.
    let sourceCount: Int
    /// Why the sources left, if the sender says so.
    let reason: UnsafeRawBufferPointer?

    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.goodbye)
        unsafe payload = packet.payload
        sourceCount = Int(packet.count)
        var reader = unsafe ByteReader(packet.payload)
        try reader.skip(4 * sourceCount)
        unsafe reason = reader.remaining > 0 ? try reader.readBytes(Int(try reader.readUInt8())) : nil
    }

    /// - Parameter index: 0..<`sourceCount`.
    func source(at index: Int) -> SSRC? {
        guard (0..<sourceCount).contains(index) else { return nil }
        return unsafe SSRC(payload.uint32(provenAt: 4 * index))
    }

    /// - Parameters:
    ///   - sources: at most 31.
    ///   - reason: at most 255 bytes of UTF-8.
    static func write(sources: [SSRC], reason: String? = nil, into writer: inout ByteWriter) throws(WireError) {
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.goodbye, count: sources.count)
            for source in sources { try writer.writeUInt32(source.rawValue) }
            if let reason {
                guard let length = UInt8(exactly: reason.utf8.count) else { throw .tooLarge }
                try writer.writeUInt8(length)
                try writer.writeText(reason)
            }
            try writer.endRTCP(start)
        }
    }
}
