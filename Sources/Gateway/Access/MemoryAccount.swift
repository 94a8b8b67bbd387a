import Synchronization

/// The memory that the clients of one address have in the server, whatever buffer it is in: what came of them and is not
/// carried out yet, and what waits for those that do not read. One limit for all of it.
///
/// Nothing is buffered for a client without a `MemoryLoan`, which only an account gives; `BufferRules` in the tests of the source
/// tree knows the places. Safe from any thread, without a lock.
final class MemoryAccount: Sendable {
    private let used = Atomic<Int>(0)
    private let limit: MemoryLimit
    private let refused: @Sendable () -> Void

    /// - Parameters:
    ///   - limit: what applies at present.
    ///   - refused: called on any thread for each buffer that was refused, which may hold locks: it must not block.
    init(limit: MemoryLimit, refused: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.refused = refused
    }

    /// Bytes in use, beside what each connection has of its own.
    var bytes: Int { used.load(ordering: .relaxed) }

    /// For one buffer, or several of one connection.
    /// - Parameter own: bytes that are not charged; for what is itself bounded in number, such as connections and sessions, so that
    ///   a neighbor who takes all that there is silences nobody who asks for little.
    func loan(own: Int = 0) -> MemoryLoan { MemoryLoan(self, own: own) }

    /// For loans.
    /// - Returns: `false` if the sum is now beyond the limit; the loan takes the change back then.
    func change(by bytes: Int) -> Bool {
        guard bytes != 0 else { return true }
        let sum = used.add(bytes, ordering: .relaxed).newValue
        return bytes < 0 || sum <= limit.bytes
    }

    func wasRefused() { refused() }
}
