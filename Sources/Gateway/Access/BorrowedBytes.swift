/// The size of a buffer that grows and shrinks, charged to its loan.
struct BorrowedBytes {
    let loan: MemoryLoan
    private(set) var count = 0

    init(_ loan: MemoryLoan) { self.loan = loan }

    /// Asked before the buffer grows.
    /// - Returns: `false` if it may not; its size is then what it was.
    mutating func resize(to bytes: Int) -> Bool {
        if bytes > count {
            guard loan.take(bytes - count) else { return false }
        } else if bytes < count {
            loan.giveBack(count - bytes)
        }
        count = bytes
        return true
    }

    /// - Returns: `false` if the address has too many already.
    mutating func add(_ bytes: Int) -> Bool { resize(to: count + bytes) }

    /// The buffer has become smaller.
    mutating func remove(_ bytes: Int) {
        loan.giveBack(bytes)
        count -= bytes
    }
}
