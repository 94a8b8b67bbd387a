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

/// The feedback message type of transport and payload-specific feedback, which takes the place of the count.
enum RTCPFeedbackFormat {
    /// RFC 4585 §6.2.1, of RTPFB.
    static let genericNACK: UInt8 = 1
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, of RTPFB.
    static let transportWide: UInt8 = 15
    /// RFC 4585 §6.3.1, of PSFB.
    static let pictureLossIndication: UInt8 = 1
    /// RFC 5104 §4.3.1, of PSFB.
    static let fullIntraRequest: UInt8 = 4
    /// RFC 4585 §6.4, of PSFB: REMB.
    static let applicationLayer: UInt8 = 15
}
