/// Names a tuple (a pair of addresses and a protocol) of one shard: the shard maps addresses to it.
struct TupleID: Hashable, Sendable {
    var rawValue: UInt64

    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
