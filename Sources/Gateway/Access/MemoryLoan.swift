import Synchronization

/// What one buffer, or one connection's buffers, have borrowed from an account. Given back with the last who keeps it.
final class MemoryLoan: Sendable {
    /// What a connection, or a session, has of its own for what waits for its client: enough for one that reads.
    static let outgoingBytes = 16_384
    /// And for what comes of it: most messages are shorter.
    static let incomingBytes = 4096

    private let account: MemoryAccount
    private let own: Int
    private let held = Atomic<Int>(0)

    /// Made by the account.
    init(_ account: MemoryAccount, own: Int) {
        self.account = account
        self.own = own
    }

    deinit { _ = account.change(by: -charged(held.load(ordering: .relaxed))) }

    /// Asked before the bytes are kept.
    /// - Returns: `false` if the address has too many; nothing is borrowed then.
    func take(_ bytes: Int) -> Bool {
        let (before, after) = held.add(bytes, ordering: .relaxed)
        guard !account.change(by: charged(after) - charged(before)) else { return true }
        giveBack(bytes)
        account.wasRefused()
        return false
    }

    func giveBack(_ bytes: Int) {
        let (before, after) = held.subtract(bytes, ordering: .relaxed)
        _ = account.change(by: charged(after) - charged(before))
    }

    private func charged(_ bytes: Int) -> Int { max(0, bytes - own) }
}
