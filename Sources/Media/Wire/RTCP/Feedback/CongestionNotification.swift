/// How many packets a receiver saw with each ECN mark (RFC 6679 §5.1).
struct CongestionNotification: Hashable, Sendable {
    var senderSSRC: SSRC
    var mediaSSRC: SSRC
    /// Roll-over count and sequence number of the newest packet received.
    var highestSequence: UInt32
    /// ECT(0) and ECT(1).
    var capable0: UInt32
    var capable1: UInt32
    /// ECN-CE.
    var congested: UInt16
    var notCapable: UInt16
    var lost: UInt16
    var duplicated: UInt16

    /// - Throws: `malformed` for another length than the RFC's.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.transportFeedback, format: RTCPFeedbackFormat.congestionNotification)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        highestSequence = try reader.readUInt32()
        capable0 = try reader.readUInt32()
        capable1 = try reader.readUInt32()
        congested = try reader.readUInt16()
        notCapable = try reader.readUInt16()
        lost = try reader.readUInt16()
        duplicated = try reader.readUInt16()
        guard reader.remaining == 0 else { throw .malformed }
    }
}
