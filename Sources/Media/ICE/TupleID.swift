/// Names a tuple (a pair of addresses and a protocol) of one shard: the shard maps addresses to it.
struct TupleID: Hashable, Sendable {
    private static let tcpBit: UInt64 = 1 << 32

    var rawValue: UInt64

    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameter isTCP: whether its packets come by a TCP connection.
    init(number: Int, isTCP: Bool) {
        self.init(UInt64(UInt32(truncatingIfNeeded: number)) | (isTCP ? Self.tcpBit : 0))
    }

    /// By which its shard finds it.
    var number: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }

    var isTCP: Bool { rawValue & Self.tcpBit != 0 }
}
