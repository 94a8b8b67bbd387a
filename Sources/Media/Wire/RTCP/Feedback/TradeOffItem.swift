/// One item of a TSTR or TSTN packet (RFC 5104 §4.3.2.1).
struct TradeOffItem: Hashable, Sendable {
    var ssrc: SSRC
    var sequenceNumber: UInt8
    /// 0 (sharpest pictures) … 31 (most pictures a second).
    var index: UInt8
}
