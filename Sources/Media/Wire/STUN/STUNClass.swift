/// The four classes of STUN messages (RFC 8489 §5).
enum STUNClass: UInt8, Hashable, Sendable {
    case request = 0
    case indication = 1
    case success = 2
    case error = 3
}
