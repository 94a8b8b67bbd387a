import Testing

@testable import RoundhouseMedia

@Suite("Other shards' tuples")
struct OtherShardsTuplesTests {
    private let start = MediaInstant(nanoseconds: 1_000_000_000_000)

    private func key(_ number: Int) -> TupleTable.Key {
        TupleTable.Key(remote: IPAddressPort(ipv4: UInt32(number), port: 1), socket: 0)
    }

    private func table() -> OtherShardsTuples {
        var random = SplitMix(seed: 1)
        return OtherShardsTuples(secret: HashSecret(using: &random))
    }

    @Test func `a claim lasts for a minute, and each new one for another`() {
        var tuples = table()
        #expect(tuples.shard(of: key(1), at: start) == nil)
        tuples.claimed(key(1), by: 3, at: start)
        #expect(tuples.shard(of: key(1), at: start + .seconds(59)) == 3)
        tuples.claimed(key(1), by: 3, at: start + .seconds(59))
        #expect(tuples.shard(of: key(1), at: start + .seconds(118)) == 3)
        #expect(tuples.shard(of: key(1), at: start + .seconds(120)) == nil)
        tuples.claimed(key(1), by: 2, at: start + .seconds(121))
        #expect(tuples.shard(of: key(1), at: start + .seconds(122)) == 2)
        #expect(tuples.count == 1)
    }

    @Test func `claims that are over make room, and those beyond the bound, too`() {
        var tuples = table()
        for number in 0..<1000 { tuples.claimed(key(number), by: 1, at: start) }
        for number in 1000..<3000 { tuples.claimed(key(number), by: 1, at: start + .seconds(61)) }
        #expect(tuples.count < 2100)
        for number in 0..<200_000 { tuples.claimed(key(10_000 + number), by: 2, at: start + .seconds(62)) }
        #expect(tuples.count == OtherShardsTuples.capacity)
        #expect(tuples.shard(of: key(10_000 + 199_999), at: start + .seconds(62)) == 2)
    }
}
