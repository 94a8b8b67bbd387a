import NIOCore

/// A body that is being received: every byte is borrowed before it is kept, until the loan's last owner is gone.
struct BorrowedBuffer {
    private(set) var bytes = ByteBuffer()
    let loan: MemoryLoan

    init(_ loan: MemoryLoan) { self.loan = loan }

    /// - Returns: `false` if the address has too many bytes already.
    mutating func append(_ part: ByteBuffer) -> Bool {
        guard loan.take(part.readableBytes) else { return false }
        bytes.writeImmutableBuffer(part)
        return true
    }
}
