import CLinuxNet

/// Ends the sleep of one shard's thread.
struct ShardWaker: Sendable {
    let descriptor: Int32

    func wake() { cln_wake(descriptor) }
}
