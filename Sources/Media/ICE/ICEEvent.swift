/// What has changed in an `ICELiteAgent`.
enum ICEEvent: Equatable, Sendable {
    case stateChanged(ICEState)
    case selectedTupleChanged(TupleID?)
    /// The selected tuple had been silent before it changed: what was sent to it may be lost.
    case pathRecovered
    /// The shard must forget the tuple, and close its connection if it has one.
    case tupleDropped(TupleID)
    /// The username fragment from before a restart no longer leads to this transport.
    case usernameFragmentRetired(String)
}
