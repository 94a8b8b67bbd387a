/// A message's entry in the account, held by everything that holds the message, and gone with the last of it.
final class DataBlock {
    private let count: Int
    private let account: DataAccount

    init(count: Int, in account: DataAccount) {
        self.count = count
        self.account = account
        account.bytes += count
    }

    deinit { account.bytes -= count }
}
