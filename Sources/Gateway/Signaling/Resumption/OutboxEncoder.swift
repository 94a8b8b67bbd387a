/// How one kind of session writes its messages.
protocol OutboxEncoder {
    associatedtype Message

    /// Whether a client that comes back gets the message again if it missed it.
    func isNumbered(_ message: Message) -> Bool

    func encode(_ message: Message, number: UInt64?) -> String
}
