/// One limit of a TMMBR or TMMBN packet (RFC 5104 §4.2.1.1).
struct TemporaryMaximumBitrateItem: Hashable, Sendable {
    /// The stream whose sender is limited; of a notification, the one who asked for it.
    var ssrc: SSRC
    /// Bits per second, the measured overhead included.
    var bitrate: UInt64
    /// Bytes a packet, 0…511.
    var overhead: UInt16
}

/// A request for a limit of a sender's bitrate (TMMBR), or the answer to one (TMMBN), read in place: RFC 5104 §4.2.
struct TemporaryMaximumBitrate {
    /// As many as streams in one bundle.
    static let maximumItems = 128

    let isNotification: Bool
    let senderSSRC: SSRC
    /// May be empty for a notification only.
    let items: TemporaryMaximumBitrateList

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` for a request without an item or a bitrate beyond 64 bits.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        isNotification = packet.count == RTCPFeedbackFormat.temporaryMaximumBitrateNotification
        try packet.expect(
            .transportFeedback,
            format: isNotification
                ? RTCPFeedbackFormat.temporaryMaximumBitrateNotification : RTCPFeedbackFormat.temporaryMaximumBitrate)
        var reader = ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        guard reader.remaining % 8 == 0, isNotification || reader.remaining > 0 else { throw .malformed }
        guard reader.remaining / 8 <= Self.maximumItems else { throw .tooLarge }
        items = TemporaryMaximumBitrateList(reader)
        var check = items
        while check.hasMore { guard check.next() != nil else { throw .malformed } }
    }
}

/// The items of a TMMBR or TMMBN packet in order.
struct TemporaryMaximumBitrateList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    fileprivate init(_ reader: ByteReader) { self.reader = reader }

    fileprivate var hasMore: Bool { reader.remaining > 0 }

    mutating func next() -> TemporaryMaximumBitrateItem? {
        guard let ssrc = try? reader.readUInt32(), let encoded = try? reader.readUInt32() else { return nil }
        // Six bits of exponent, seventeen of mantissa, nine of overhead.
        let exponent = UInt64(encoded >> 26)
        let mantissa = UInt64(encoded >> 9 & 0x1_FFFF)
        guard mantissa == 0 || exponent <= UInt64(mantissa.leadingZeroBitCount) else { return nil }
        return TemporaryMaximumBitrateItem(
            ssrc: SSRC(ssrc), bitrate: mantissa << exponent, overhead: UInt16(truncatingIfNeeded: encoded & 0x1FF))
    }
}
