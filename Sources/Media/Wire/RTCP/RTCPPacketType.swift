/// The packet type octet of an RTCP packet (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).
struct RTCPPacketType: Hashable, Sendable {
    let rawValue: UInt8

    static let senderReport = RTCPPacketType(rawValue: 200)
    static let receiverReport = RTCPPacketType(rawValue: 201)
    static let sourceDescription = RTCPPacketType(rawValue: 202)
    static let goodbye = RTCPPacketType(rawValue: 203)
    /// RTPFB: generic NACK, transport-wide feedback.
    static let transportFeedback = RTCPPacketType(rawValue: 205)
    /// PSFB: PLI, FIR, REMB.
    static let payloadFeedback = RTCPPacketType(rawValue: 206)
    static let extendedReport = RTCPPacketType(rawValue: 207)
}
