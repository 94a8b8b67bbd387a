/// The 96 bits that tie a response to its request (RFC 8489 §5).
struct STUNTransactionID: Hashable, Sendable {
    var high: UInt64
    var low: UInt32
}
