/// The TCP ports by which clients come that UDP does not reach (ICE-TCP, RFC 6544).
public enum MediaTCPPorts: Sendable, Hashable {
    /// Media goes over UDP only.
    case none
    /// Each media thread's UDP port, of TCP.
    case sameAsUDP
    /// The first media thread's; the others take the next ones, or the same.
    case first(UInt16)

    /// - Parameters:
    ///   - udp: the thread's UDP port.
    ///   - offset: how far it is from the first one's.
    /// - Returns: zero for any, 65,536 or more where none is left; `nil`: there is to be none.
    func port(udp: UInt16, offset: Int) -> Int? {
        switch self {
        case .none: nil
        case .sameAsUDP: Int(udp)
        case .first(let port): Int(port) + offset
        }
    }
}
