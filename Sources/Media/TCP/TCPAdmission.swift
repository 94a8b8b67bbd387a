/// Decides which connections a shard takes: as long as no valid check has come on one, anybody may have opened it.
struct TCPAdmission {
    /// How long a connection may wait for its first valid check.
    static let patience = MediaDuration.seconds(10)
    /// Connections that wait, in all and of one address, or one IPv6 network of 64 bits.
    static let mostWaiting = 1_024
    static let mostWaitingOfAddress = 64
    /// Connections accepted in a second, and at once.
    static let rate = 500
    static let burst = 1_000

    private var waiting: [IPAddressPort: Int] = [:]
    private(set) var waitingCount = 0
    private var tokens = Self.burst * 1_000
    private var refilledAt: MediaInstant?

    init() {}

    /// A client has connected.
    /// - Returns: whether its connection may wait for a check; `checked` or `gone` follows.
    mutating func connected(_ remote: IPAddressPort, at now: MediaInstant) -> Bool {
        if let refilledAt {
            let elapsed = min(max((now - refilledAt).milliseconds, 0), 10_000)
            if elapsed > 0 {
                tokens = min(tokens + Int(elapsed) * Self.rate, Self.burst * 1_000)
                self.refilledAt = now
            }
        } else {
            refilledAt = now
        }
        let address = Self.network(of: remote)
        guard tokens >= 1_000, waitingCount < Self.mostWaiting,
            waiting[address, default: 0] < Self.mostWaitingOfAddress
        else { return false }
        tokens -= 1_000
        waiting[address, default: 0] += 1
        waitingCount += 1
        return true
    }

    /// A connection waits no more: a valid check has come, or it is gone.
    mutating func ended(_ remote: IPAddressPort) {
        let address = Self.network(of: remote)
        guard let count = waiting[address] else { return }
        waiting[address] = count > 1 ? count - 1 : nil
        waitingCount -= 1
    }

    private static func network(of remote: IPAddressPort) -> IPAddressPort {
        switch remote.family {
        case .ipv4: remote.withPort(0)
        case .ipv6: IPAddressPort(ipv6High: remote.high, low: 0, port: 0)
        }
    }
}
