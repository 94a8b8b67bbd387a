import COpenSSL
import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS records")
struct DTLSRecordLayerTests {
    @Test func `the pseudorandom function gives what the TLS working group's vectors and OpenSSL's tool give`() throws {
        let sha256 = try #require(EVP_sha256())
        let first = DTLSRecordKeys.pseudorandom(
            secret: bytes(hex: "9bbe436ba940f017b17652849a71db35"), label: "test label",
            seed: bytes(hex: "a0ba9f936cda311827a6f796ffd5198c"), count: 100, digest: sha256)
        let expected =
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7"
            + "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
        #expect(first == bytes(hex: expected))
        let sha384 = try #require(EVP_sha384())
        let second = DTLSRecordKeys.pseudorandom(
            secret: bytes(hex: "b80b733d6ceefcdc71566ea48e5567df"), label: "test label",
            seed: bytes(hex: "cd665cf6a8447dd6ff8b27555edb7465"), count: 148, digest: sha384)
        let longer =
            "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40"
            + "0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d"
            + "31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f"
        #expect(second == bytes(hex: longer))
    }

    /// Made with Python's `cryptography` from the header and the nonce that the RFCs prescribe.
    @Test(arguments: [
        (
            DTLSCipher.aes128GCM,
            "17fefd000100010203040500221122334557697b8db6d1bcbc1d206a2d329d466d810fc8848d20817dd9aa882a98cf"
        ),
        (
            .aes256GCM,
            "17fefd000100010203040500221122334557697b8d3ac6a11aba145c531013b3cddbbea0640d6f9a044855c74dabb6"
        ),
        (
            .chaCha20Poly1305,
            "17fefd0001000102030405001a87743940230fdbd9efebbf3a718ae19d4675880eec1167717fbd"
        ),
    ])
    func `a record is what another implementation makes of it`(cipher: DTLSCipher, record: String) throws {
        let key = DTLSTrafficKey(
            encryptionKey: Array(0..<UInt8(cipher.keyLength)), salt: Array(0xA0..<0xA0 + UInt8(cipher.fixedLength)))
        let snapshot = DTLSRecordLayer.Snapshot(
            keys: DTLSRecordKeys(cipher: cipher, local: key, remote: key), nextSequence: 0x01_0203_0405,
            nonceOffset: cipher == .chaCha20Poly1305 ? 1 << 48 : 0x1122_3344_5566_7788, nextPlainSequence: 0,
            finished: [], window: DTLSReplayWindow())
        let layer = try #require(TestRecordLayer(snapshot))
        #expect(layer.written(Array("roundhouse".utf8)) == bytes(hex: record))
        #expect(layer.receive(bytes(hex: record)) == [.applicationData(Array("roundhouse".utf8))])
    }

    @Test(arguments: DTLSCipher.allCases)
    func `payloads of any length arrive, and longer ones than a record's are refused`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher)
        for length in [0, 1, 15, 16, 17, 1200, 16_384] {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let toServer = try #require(pair.client.written(payload))
            #expect(toServer.count == 13 + cipher.overhead + length)
            #expect(pair.server.receive(toServer) == [.applicationData(payload)])
            let toClient = try #require(pair.server.written(payload))
            #expect(pair.client.receive(toClient) == [.applicationData(payload)])
        }
        let next = pair.client.snapshot.nextSequence
        #expect(pair.client.written([UInt8](repeating: 0, count: 16_385)) == nil)
        #expect(pair.client.snapshot.nextSequence == next)
        #expect(pair.server.counters == DTLSRecordCounters())
    }

    @Test(arguments: DTLSCipher.allCases)
    func `a record is accepted once, in any order, within a window of 64`(cipher: DTLSCipher) throws {
        var generator = SplitMix(seed: 9)
        let pair = try RecordLayerPair(cipher)
        var records: [[UInt8]] = []
        for number in 0..<200 as Range<UInt8> { records.append(try #require(pair.client.written([number]))) }
        // Neighbors change places within 60, and each comes twice.
        var order = Array(records.indices)
        for start in stride(from: 0, to: 180, by: 60) { order[start..<start + 60].shuffle(using: &generator) }
        for index in order {
            #expect(pair.server.receive(records[index]) == [.applicationData([UInt8(index)])])
            #expect(pair.server.receive(records[index]) == [])
        }
        #expect(pair.server.counters.replayed == 200)

        let late = try RecordLayerPair(cipher)
        let first = try #require(late.client.written([1]))
        let second = try #require(late.client.written([2]))
        var last: [UInt8] = []
        for _ in 0..<63 { last = try #require(late.client.written([3])) }
        #expect(late.server.receive(last) == [.applicationData([3])])
        // The first is 64 older than the last, the second 63.
        #expect(late.server.receive(first) == [])
        #expect(late.server.receive(second) == [.applicationData([2])])
    }

    @Test(arguments: DTLSCipher.allCases)
    func `a record cut at any length is dropped and leaves no trace`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher)
        let record = try #require(pair.client.written([1, 2, 3, 4, 5]))
        for length in 0..<record.count {
            #expect(pair.server.receive(Array(record.prefix(length))) == [])
            // With a length that says the same.
            guard length >= 13 else { continue }
            var shorter = Array(record.prefix(length))
            shorter[11] = 0
            shorter[12] = UInt8(length - 13)
            #expect(pair.server.receive(shorter) == [])
        }
        #expect(pair.server.counters.malformed > 0 && pair.server.counters.forged > 0)
        #expect(pair.server.receive(record) == [.applicationData([1, 2, 3, 4, 5])])
    }

    @Test(arguments: DTLSCipher.allCases)
    func `a record with any one bit changed is dropped and leaves no trace`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher)
        for type in [DTLSContentType.applicationData, .alert, .handshake] {
            let record = try #require(pair.client.written(type == .alert ? [2, 40] : [20, 2, 3], as: type))
            for bit in 0..<8 * record.count {
                var changed = record
                changed[bit / 8] ^= 1 << (bit % 8)
                #expect(pair.server.receive(changed) == [], "bit \(bit)")
                #expect(pair.server.sent() == nil)
            }
            #expect(pair.server.receive(record).count == 1)
            _ = pair.server.sent()
        }
    }

    @Test(arguments: DTLSCipher.allCases)
    func `alerts that the peer did not make end nothing`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher)
        for epoch in 0...2 as ClosedRange<UInt8> {
            for alert in [[1, 0], [2, 40], [2, 0]] as [[UInt8]] {
                let bare: [UInt8] = [21, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2] + alert
                #expect(pair.server.receive(bare) == [])
                let length = UInt8(alert.count + cipher.overhead)
                let padded = Array(bare[..<12]) + [length] + alert + [UInt8](repeating: 0, count: cipher.overhead)
                #expect(pair.server.receive(padded) == [])
            }
        }
        // And what the server said itself, turned back.
        let own = try #require(pair.server.written([2, 40], as: .alert))
        #expect(pair.server.receive(own) == [])
        let counters = pair.server.counters
        #expect(counters.foreign == 12 && counters.malformed == 3 && counters.forged == 4)
    }

    @Test(arguments: DTLSCipher.allCases)
    func `a record of another epoch, version or type is dropped though its key is right`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher)
        let record = try #require(pair.client.written([1]))
        for (position, value) in [(4, 0), (4, 2), (3, 1), (2, 0xFF), (1, 3), (0, 19), (0, 24), (0, 63)]
            as [(Int, UInt8)]
        {
            var changed = record
            changed[position] = value
            #expect(pair.server.receive(changed) == [])
        }
        #expect(pair.server.counters == DTLSRecordCounters(foreign: 8))
    }

    @Test func `a bad record does not keep its neighbors from being read`() throws {
        let pair = try RecordLayerPair(.aes128GCM)
        var datagram: [UInt8] = []
        for number in 1...3 as ClosedRange<UInt8> {
            var record = try #require(pair.client.written([number]))
            if number == 2 { record[record.count - 1] ^= 1 }
            datagram += record
        }
        #expect(pair.server.receive(datagram) == [.applicationData([1]), .applicationData([3])])
    }

    @Test(arguments: [([1, 0], .closed), ([2, 0], .closed), ([2, 40], .failed(40))] as [([UInt8], DTLSRecordEvent)])
    func `an alert that ends the connection ends the datagram`(alert: [UInt8], event: DTLSRecordEvent) throws {
        let pair = try RecordLayerPair(.aes128GCM)
        let end = try #require(pair.client.written(alert, as: .alert))
        let more = try #require(pair.client.written([1]))
        #expect(pair.server.receive(end + more) == [event])
    }

    @Test(arguments: [[1, 90], [1, 100], [3, 40], [0, 0, 0], [2], []] as [[UInt8]])
    func `warnings and what is no alert are ignored`(alert: [UInt8]) throws {
        let pair = try RecordLayerPair(.aes128GCM)
        let record = try #require(pair.client.written(alert, as: .alert))
        #expect(pair.server.receive(record) == [])
        #expect(pair.server.counters == DTLSRecordCounters(ignored: 1))
    }

    @Test(arguments: DTLSCipher.allCases)
    func `a Finished that comes again is answered by ours, each time with new record numbers`(
        cipher: DTLSCipher
    ) throws {
        let pair = try RecordLayerPair(cipher)
        let finished = [20] + [UInt8](repeating: 1, count: 23)
        for round in 0..<3 as Range<UInt64> {
            let theirs = try #require(pair.client.written(finished, as: .handshake))
            #expect(pair.server.receive(theirs) == [.lastFlightRepeated])
            let answer = try #require(pair.server.sent())
            let flight = WireRecord.all(of: answer)
            try #require(flight.count == 2)
            #expect(flight[0].type == 20 && flight[0].epoch == 0 && flight[0].sequence == 5 + round)
            #expect(flight[0].bytes == [20, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, UInt8(5 + round), 0, 1, 1])
            #expect(flight[1].type == 22 && flight[1].epoch == 1 && flight[1].sequence == 1 + round)
            // A client that has its answer takes no notice of it.
            #expect(pair.client.receive(flight[1].bytes) == [])
            // Nor does anybody get an answer by sending the client's Finished once more.
            #expect(pair.server.receive(theirs) == [] && pair.server.sent() == nil)
        }
    }

    @Test func `whoever wants to negotiate again is refused, and its Finished is not asked for`() throws {
        let pair = try RecordLayerPair(.aes128GCM)
        let clientHello = try #require(pair.client.written([1, 0, 0, 0], as: .handshake))
        let helloRequest = try #require(pair.server.written([0, 0, 0, 0], as: .handshake))
        pair.server.receive(clientHello)
        pair.client.receive(helloRequest)
        for (from, to) in [(pair.server, pair.client), (pair.client, pair.server)] {
            let answer = try #require(from.sent())
            #expect(WireRecord.all(of: answer).map(\.type) == [21])
            #expect(to.receive(answer) == [] && to.counters.ignored == 1)
        }
        pair.client.receive(try #require(pair.server.written([20, 0, 0, 0], as: .handshake)))
        pair.server.receive(try #require(pair.client.written([11, 0, 0, 0], as: .handshake)))
        pair.server.receive(try #require(pair.client.written([1], as: .changeCipherSpec)))
        #expect(pair.client.sent() == nil && pair.server.sent() == nil)
    }

    @Test(arguments: DTLSCipher.allCases)
    func `record numbers end and do not begin again`(cipher: DTLSCipher) throws {
        let pair = try RecordLayerPair(cipher, nextSequence: DTLSRecordHeader.largestSequence)
        let last = try #require(pair.client.written([1]))
        #expect(WireRecord.all(of: last).first?.sequence == 0xFFFF_FFFF_FFFF)
        #expect(pair.server.receive(last) == [.applicationData([1])])
        #expect(pair.client.written([2]) == nil)
        try pair.client.move()
        #expect(pair.client.written([2]) == nil)
    }

    @Test func `random records end nothing`() throws {
        var generator = SplitMix(seed: 11)
        let pair = try RecordLayerPair(.aes128GCM)
        for _ in 0..<5000 {
            var datagram = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if datagram.count >= 13 {
                let type = UInt8.random(in: 20...24, using: &generator)
                datagram.replaceSubrange(0..<5, with: [type, 0xFE, 0xFD, 0, 1])
                datagram[11] = 0
                datagram[12] = UInt8(datagram.count - 13)
            }
            #expect(pair.server.receive(datagram) == [])
        }
        let record = try #require(pair.client.written([1]))
        #expect(pair.server.receive(record) == [.applicationData([1])])
    }

    @Test(arguments: DTLSCipher.allCases)
    func `layers moved at any instant use no record number twice and take none twice`(cipher: DTLSCipher) throws {
        for seed in 0..<30 as Range<UInt64> {
            var generator = SplitMix(seed: seed)
            let pair = try RecordLayerPair(cipher)
            var used: Set<[UInt8]> = []
            var inFlight: [(isFromClient: Bool, bytes: [UInt8])] = []
            var payloads = 0
            for step in 0..<200 as Range<UInt8> {
                let isClient = Bool.random(using: &generator)
                let layer = isClient ? pair.client : pair.server
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: try layer.move()
                case 1, 2:
                    let record = try #require(layer.written([step]))
                    // Which side, number and nonce.
                    #expect(used.insert([isClient ? 1 : 0] + record[3..<11]).inserted)
                    let nonce = record[13..<13 + cipher.explicitLength]
                    #expect(nonce.isEmpty || used.insert([isClient ? 3 : 2] + nonce).inserted)
                    inFlight.append((isClient, record))
                    payloads += 1
                default:
                    inFlight.shuffle(using: &generator)
                    for datagram in inFlight {
                        let receiver = datagram.isFromClient ? pair.server : pair.client
                        receiver.receive(datagram.bytes)
                        if Bool.random(using: &generator) { try receiver.move() }
                        #expect(receiver.receive(datagram.bytes) == [])
                    }
                    inFlight = []
                }
            }
            #expect(pair.client.events.count + pair.server.events.count + inFlight.count == payloads, "seed \(seed)")
        }
    }
}
