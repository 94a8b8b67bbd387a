/// What a transport-wide numbered packet was sent for.
enum SentKind: UInt8, Sendable {
    case audio = 1
    case video = 2
    case retransmission = 3
    case padding = 4
}
