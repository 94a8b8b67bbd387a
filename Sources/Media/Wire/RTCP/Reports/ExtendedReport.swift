/// Walks the blocks of an XR packet (RFC 3611 §2) in place.
struct ExtendedReport {
    enum Block {
        /// RRTR (RFC 3611 §4.4).
        case receiverReferenceTime(NTPTimestamp)
        /// DLRR (RFC 3611 §4.5).
        case delaySinceLastReceiverReport(DLRRList)
        /// A block this server does not read.
        case other(type: UInt8)
    }

    private static let receiverReferenceTimeType: UInt8 = 4
    private static let dlrrType: UInt8 = 5

    let ssrc: SSRC
    private var reader: ByteReader

    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.extendedReport)
        reader = unsafe ByteReader(packet.payload)
        ssrc = SSRC(try reader.readUInt32())
    }

    /// - Throws: `truncated` where a block does not fit, `malformed` for a length its type does not allow.
    mutating func next() throws(WireError) -> Block? {
        guard reader.remaining > 0 else { return nil }
        let type = try reader.readUInt8()
        try reader.skip(1)
        let words = Int(try reader.readUInt16())
        var content = unsafe ByteReader(try reader.readBytes(4 * words))
        switch type {
        case Self.receiverReferenceTimeType:
            guard words == 2 else { throw .malformed }
            return .receiverReferenceTime(NTPTimestamp(rawValue: try content.readUInt64()))
        case Self.dlrrType:
            guard words % 3 == 0 else { throw .malformed }
            return .delaySinceLastReceiverReport(DLRRList(content))
        default: return .other(type: type)
        }
    }

    /// Writes a packet with an RRTR block, a DLRR block or both; an empty list makes no block.
    static func write(
        ssrc: SSRC, receiverReferenceTime: NTPTimestamp? = nil, dlrr: [DLRRItem] = [], into writer: inout ByteWriter
    ) throws(WireError) {
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.extendedReport, count: 0)
            try writer.writeUInt32(ssrc.rawValue)
            if let receiverReferenceTime {
                try writer.writeUInt16(UInt16(receiverReferenceTimeType) << 8)
                try writer.writeUInt16(2)
                try writer.writeUInt64(receiverReferenceTime.rawValue)
            }
            if !dlrr.isEmpty {
                guard let words = UInt16(exactly: 3 * dlrr.count) else { throw .tooLarge }
                try writer.writeUInt16(UInt16(dlrrType) << 8)
                try writer.writeUInt16(words)
                for item in dlrr { try item.write(into: &writer) }
            }
            try writer.endRTCP(start)
        }
    }
}
