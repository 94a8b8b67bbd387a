/// A client's message that waits to be carried out: its bytes are borrowed until nobody has it any more.
final class BorrowedText: Sendable {
    let text: String
    private let loan: MemoryLoan

    /// - Returns: `nil` if the client's address has too many bytes in the server already.
    init?(_ text: String, from loan: MemoryLoan) {
        guard loan.take(Self.cost(of: text)) else { return nil }
        self.text = text
        self.loan = loan
    }

    deinit { loan.giveBack(Self.cost(of: text)) }

    /// Queue entry and object count, too.
    static func cost(of text: String) -> Int { text.utf8.count + WebSocketConnection.overheadPerMessage }
}
