/// A whole message, to be sent or received.
///
/// Its bytes are an array that all who hold the message share: one message to many receivers is in memory once.
struct SCTPMessage: Hashable, Sendable {
    var stream: UInt16
    var payloadProtocol: PayloadProtocol
    var isUnordered = false
    /// Never empty on the wire: a message without content has one byte, and a protocol identifier that says so.
    var payload: [UInt8]
}
