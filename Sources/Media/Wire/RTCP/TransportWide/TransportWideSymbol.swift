/// What a packet status chunk says of one packet (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1).
enum TransportWideSymbol: UInt16, Sendable {
    case notReceived = 0
    /// Received, with a delta of 0…255 ticks in one byte.
    case smallDelta = 1
    /// Received, with a delta of −32768…32767 ticks in two bytes.
    case largeDelta = 2
    case reserved = 3
}
