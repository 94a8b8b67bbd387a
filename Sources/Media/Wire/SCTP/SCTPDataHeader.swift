/// The fields of DATA (RFC 9260 §3.3.1) or I-DATA (RFC 8260 §2.1) before the payload.
struct SCTPDataHeader: Hashable, Sendable {
    /// Chunk header included.
    static let length = 16
    static let interleavedLength = 20

    var isInterleaved: Bool
    var tsn: TSN
    var stream: UInt16
    /// The stream sequence number of DATA, 16 bits and of no meaning in unordered messages; the message identifier of
    /// I-DATA.
    var number: UInt32
    /// I-DATA's, counted from 0 in each message. DATA's order is its TSN's.
    var fragment: UInt32
    /// Only the first fragment of I-DATA has one.
    var payloadProtocol: PayloadProtocol
    var flags: Flags

    struct Flags: OptionSet, Hashable, Sendable {
        var rawValue: UInt8

        /// E: the message's last fragment.
        static let end = Flags(rawValue: 0x01)
        /// B: its first.
        static let beginning = Flags(rawValue: 0x02)
        /// U: delivered as soon as it is complete.
        static let unordered = Flags(rawValue: 0x04)
        /// I: to be acknowledged at once (RFC 7053).
        static let immediately = Flags(rawValue: 0x08)
    }

    init(
        isInterleaved: Bool, tsn: TSN, stream: UInt16, number: UInt32, fragment: UInt32,
        payloadProtocol: PayloadProtocol, flags: Flags
    ) {
        self.isInterleaved = isInterleaved
        self.tsn = tsn
        self.stream = stream
        self.number = number
        self.fragment = fragment
        self.payloadProtocol = payloadProtocol
        self.flags = flags
    }

    /// - Parameter payload: becomes what follows the fields; may be empty, which is an error for the association.
    /// - Throws: `truncated`.
    init(parsing chunk: SCTPChunkView, payload: inout UnsafeRawBufferPointer) throws(WireError) {
        isInterleaved = chunk.type == .interleavedData
        flags = Flags(rawValue: chunk.flags)
        var reader = unsafe ByteReader(chunk.value)
        tsn = TSN(try reader.readUInt32())
        stream = try reader.readUInt16()
        if isInterleaved {
            try reader.skip(2)
            number = try reader.readUInt32()
            let last = try reader.readUInt32()
            // The two share a field (RFC 8260 §2.1).
            let isFirst = flags.contains(.beginning)
            fragment = isFirst ? 0 : last
            payloadProtocol = PayloadProtocol(rawValue: isFirst ? last : 0)
        } else {
            number = UInt32(try reader.readUInt16())
            payloadProtocol = PayloadProtocol(rawValue: try reader.readUInt32())
            fragment = 0
        }
        unsafe payload = reader.readRemaining()
    }

    /// - Parameter range: the part of `payload` that this fragment carries.
    func write(_ payload: [UInt8], _ range: Range<Int>, into writer: inout SCTPPacketWriter) throws(WireError) {
        try writer.beginChunk(isInterleaved ? .interleavedData : .data, flags: flags.rawValue)
        try writer.writeUInt32(tsn.rawValue)
        try writer.writeUInt16(stream)
        if isInterleaved {
            try writer.writeUInt16(0)
            try writer.writeUInt32(number)
            try writer.writeUInt32(flags.contains(.beginning) ? payloadProtocol.rawValue : fragment)
        } else {
            try writer.writeUInt16(UInt16(truncatingIfNeeded: number))
            try writer.writeUInt32(payloadProtocol.rawValue)
        }
        try writer.writeBytes(payload, range)
        try writer.endChunk()
    }
}
