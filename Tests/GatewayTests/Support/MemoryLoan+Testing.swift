@testable import RoundhouseGateway

extension MemoryLoan {
    /// Of an account without a limit.
    static var testing: MemoryLoan { MemoryAccount(limit: .none) {}.loan() }
}
