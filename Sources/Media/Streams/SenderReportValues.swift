/// The values of one sender report (RFC 3550 §6.4.1).
struct SenderReportValues: Hashable, Sendable {
    var ntp: UInt64
    var rtpTimestamp: UInt32
    var packetCount: UInt32
    var octetCount: UInt32
}
