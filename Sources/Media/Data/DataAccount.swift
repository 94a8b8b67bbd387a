/// Bytes of messages that a shard's associations have not done with: a message counts once, however many send it.
///
/// Used by the shard's thread only.
final class DataAccount {
    var bytes = 0
}
