import Testing

@testable import RoundhouseMedia

@Suite("The shard's tables")
struct TableTests {
    private static func secret(_ seed: Int) -> HashSecret {
        var random = SplitMix(seed: UInt64(seed))
        return HashSecret(using: &random)
    }

    @Test(arguments: 1...8) func `the tuple table agrees with a dictionary`(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var table = TupleTable(secret: Self.secret(seed))
        var model: [TupleTable.Key: Int] = [:]
        var mostKeys = 0
        for step in 0..<20_000 {
            // Few addresses, so that they come again; many ports, as behind one translator.
            let address = UInt32(0x0A00_0000 + random.next() % 16)
            let port = UInt16(truncatingIfNeeded: random.next() % (step % 5000 < 2500 ? 60 : 6))
            let remote =
                random.next() % 4 == 0
                ? IPAddressPort(ipv6High: 0x2001_0DB8 << 32, low: UInt64(address), port: port)
                : IPAddressPort(ipv4: address, port: port)
            let key = TupleTable.Key(remote: remote, socket: UInt16(random.next() % 2))
            #expect(table.find(key) == model[key])
            if model[key] == nil {
                let added1 = table.insert(key, number: step)
                #expect(added1)
                model[key] = step
            } else if random.next() % 2 == 0 {
                table.remove(key)
                model[key] = nil
            }
            mostKeys = max(mostKeys, model.count)
        }
        #expect(mostKeys > 256)
        #expect(table.count == model.count)
        for (key, number) in model { #expect(table.find(key) == number) }
        for key in model.keys { table.remove(key) }
        #expect(table.count == 0)
        for key in model.keys { #expect(table.find(key) == nil) }
    }

    @Test func `a full tuple table refuses and stays whole`() {
        var table = TupleTable(secret: Self.secret(1), limit: 1000)
        func key(_ index: Int) -> TupleTable.Key {
            .init(remote: IPAddressPort(ipv4: UInt32(index), port: 1), socket: 0)
        }
        for index in 0..<1000 {
            let added2 = table.insert(key(index), number: index)
            #expect(added2)
        }
        let added3 = table.insert(key(1000), number: 1000)
        #expect(!added3)
        #expect(table.find(key(1000)) == nil)
        table.remove(key(5))
        let added4 = table.insert(key(1000), number: 1000)
        #expect(added4)
        #expect(table.find(key(1000)) == 1000)
        table.remove(key(2_000_000))
        #expect(table.count == 1000)
    }

    @Test func `the same address on two sockets is two tuples`() {
        var table = TupleTable(secret: Self.secret(1))
        let remote = IPAddressPort(ipv4: 1, port: 2)
        let added5 = table.insert(.init(remote: remote, socket: 0), number: 10)
        #expect(added5)
        let added6 = table.insert(.init(remote: remote, socket: 1), number: 11)
        #expect(added6)
        #expect(table.find(.init(remote: remote, socket: 0)) == 10)
        #expect(table.find(.init(remote: remote, socket: 1)) == 11)
    }

    /// The most keys that begin at one of 1,024 places.
    private func longestChain(_ keys: [TupleTable.Key], _ secret: HashSecret) -> Int {
        var chains = [Int](repeating: 0, count: 1024)
        for key in keys { chains[Int(truncatingIfNeeded: key.hash(secret) & 1023)] += 1 }
        return chains.max() ?? 0
    }

    @Test func `tuples that were chosen to collide under one secret do not under another`() {
        var random = SplitMix(seed: 7)
        var crafted: [TupleTable.Key] = []
        while crafted.count < 100 {
            // Whoever has a /64 has its low half and the port.
            let remote = IPAddressPort(
                ipv6High: 0x2001_0DB8 << 32, low: random.next(), port: UInt16(truncatingIfNeeded: random.next()))
            let key = TupleTable.Key(remote: remote, socket: 0)
            if key.hash(Self.secret(1)) & 1023 == 5 { crafted.append(key) }
        }
        #expect(longestChain(crafted, Self.secret(1)) == 100)
        for seed in 2...20 { #expect(longestChain(crafted, Self.secret(seed)) <= 5) }
    }

    @Test func `addresses and ports in a row spread under every secret`() {
        let families: [(String, (UInt64) -> IPAddressPort)] = [
            ("ports", { .init(ipv4: 0x0A00_0001, port: UInt16($0)) }),
            ("IPv4 addresses", { .init(ipv4: 0x0A00_0000 + UInt32($0), port: 5000) }),
            ("every 256th IPv4 address", { .init(ipv4: 0x0A00_0000 + UInt32($0 << 8), port: 5000) }),
            ("interfaces", { .init(ipv6High: 0x2001_0DB8 << 32, low: $0, port: 5000) }),
            ("high interfaces", { .init(ipv6High: 0x2001_0DB8 << 32, low: $0 << 54, port: 5000) }),
            ("networks", { .init(ipv6High: 0x2001_0DB8 << 32 | $0, low: 1, port: 5000) }),
            ("networks and interfaces", { .init(ipv6High: 0x2001_0DB8 << 32 | $0, low: $0, port: 5000) }),
        ]
        for (name, address) in families {
            let keys = (0..<1024 as Range<UInt64>).map { TupleTable.Key(remote: address($0), socket: 0) }
            for seed in 1...10 {
                let longest = longestChain(keys, Self.secret(seed))
                #expect(longest <= 10, "\(name) under secret \(seed)")
            }
        }
    }

    @Test(arguments: 1...8) func `the SSRC table agrees with a dictionary`(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var table = SSRCTable<Int>()
        var model: [UInt32: Int] = [:]
        for step in 0..<5000 {
            // Zero is an SSRC like any other; close numbers collide.
            let ssrc = UInt32(random.next() % 100) &* (seed % 2 == 0 ? 1 : 0x0100_0000)
            #expect(table.find(ssrc) == model[ssrc])
            switch random.next() % 3 {
            case 0:
                table.remove(ssrc)
                model[ssrc] = nil
            default:
                table.insert(ssrc, step)
                model[ssrc] = step
            }
            #expect(table.count == model.count)
        }
        table.removeAll { key, _ in key % 2 == 0 }
        for (ssrc, value) in model { #expect(table.find(ssrc) == (ssrc % 2 == 0 ? nil : value)) }
        table.removeAll { _, _ in true }
        #expect(table.count == 0)
        #expect(table.find(0) == nil)
    }
}
