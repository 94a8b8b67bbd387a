/// One message of a client.
struct ReceivedSignal: Sendable {
    var signal: IncomingSignal
    /// The message's own number, if the client counts them.
    var number: UInt64?
    /// The number of the last message of ours that the client has.
    var acknowledged: UInt64?
}
