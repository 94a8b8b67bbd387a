import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS connections written down")
struct DTLSSnapshotTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    private func bytes(of snapshot: DTLSConnection.Snapshot) -> [UInt8] {
        var writer = SnapshotWriter()
        snapshot.write(to: &writer)
        return writer.bytes
    }

    private func snapshot(of bytes: [UInt8]) throws -> DTLSConnection.Snapshot {
        var reader = SnapshotReader(bytes)
        let snapshot = try DTLSConnection.Snapshot(from: &reader)
        #expect(reader.isAtEnd)
        return snapshot
    }

    private func restored(_ connection: DTLSConnection) throws -> DTLSConnection {
        let written = try #require(connection.snapshot)
        let read = try snapshot(of: bytes(of: written))
        #expect(read == written)
        return try #require(DTLSConnection(restoring: read))
    }

    private func carry(_ from: DTLSConnection, _ to: DTLSConnection, at now: MediaInstant) {
        while let bytes = DTLSPair.polled(from) { bytes.withUnsafeBytes { to.datagramReceived($0, at: now) } }
    }

    @Test func `both sides of a connection go on elsewhere, and close each other`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        var (client, server) = (try restored(pair.client), try restored(pair.server))
        #expect(client.state == .connected && client.pollEvent() == nil && client.nextDeadline == nil)
        for round in 0..<100 as Range<UInt8> {
            #expect(client.send([round]) && server.send([round]))
            carry(client, server, at: pair.now)
            carry(server, client, at: pair.now)
            #expect(server.pollEvent() == .applicationData([round]))
            #expect(client.pollEvent() == .applicationData([round]))
            if round % 3 == 0 { server = try restored(server) }
            if round % 5 == 0 { client = try restored(client) }
        }
        client.close()
        carry(client, server, at: pair.now)
        #expect(server.pollEvent() == .closed && server.state == .closed)
        carry(server, client, at: pair.now)
        #expect(try restored(server).state == .closed && restored(client).state == .closed)
    }

    @Test(arguments: [true, false])
    func `a fingerprint that comes after the move is judged then`(isRight: Bool) throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        let late = try DTLSPair(client: alice, server: bob)
        late.begin()
        late.exchange()
        let server = try restored(late.server)
        #expect(server.isConnecting)
        server.setRemoteFingerprint((isRight ? alice : bob).fingerprints[1])
        if isRight {
            late.client.setRemoteFingerprint(bob.fingerprints[1])
            late.collectEvents()
            guard case .connected(let ours)? = server.pollEvent(), case .connected(let theirs)? = late.clientEvents.last
            else {
                Issue.record("not connected")
                return
            }
            #expect(ours.local == theirs.remote && ours.remote == theirs.local)
        } else {
            #expect(server.pollEvent() == .failed(.fingerprintMismatch))
            carry(server, late.client, at: late.now)
            late.collectEvents()
            #expect(late.clientEvents.last == .failed(.closedByPeer))
        }
    }

    @Test func `a last flight that was lost is repeated after the move`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.network = { datagram in
            let isLast = !datagram.isFromClient && WireRecord.all(of: datagram.bytes).contains { $0.epoch == 1 }
            return isLast ? [] : [datagram.bytes]
        }
        pair.start(alice, bob)
        pair.exchange()
        let server = try restored(pair.server)
        let later = try #require(pair.client.nextDeadline)
        WallClock.set(later)
        pair.client.deadlineReached(at: later)
        carry(pair.client, server, at: later)
        carry(server, pair.client, at: later)
        pair.collectEvents()
        #expect(pair.client.state == .connected)
    }

    @Test func `there is nothing to write down in a handshake, and before everything has been polled`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        #expect(pair.client.snapshot == nil)
        pair.start(alice, bob)
        #expect(pair.client.snapshot == nil)
        pair.exchange()
        #expect(pair.client.snapshot != nil)
        #expect(pair.client.send([1]))
        #expect(pair.client.snapshot == nil)
        pair.exchange()
        #expect(pair.client.snapshot != nil)
    }

    @Test func `what is cut off, of another version or no state is refused`() throws {
        let late = try DTLSPair(client: alice, server: bob)
        late.begin()
        late.exchange()
        let whole = bytes(of: try #require(late.server.snapshot))
        for length in 0..<whole.count {
            #expect(throws: WireError.self, "\(length) bytes") {
                var reader = SnapshotReader(Array(whole.prefix(length)))
                _ = try DTLSConnection.Snapshot(from: &reader)
            }
        }
        for (position, value) in [(0, 2), (1, 0), (1, 5), (2, 31)] as [(Int, UInt8)] {
            var changed = whole
            changed[position] = value
            #expect(throws: WireError.self) {
                var reader = SnapshotReader(changed)
                _ = try DTLSConnection.Snapshot(from: &reader)
            }
        }
    }

    @Test func `the bytes of version 1 do not change`() throws {
        let keys = DTLSRecordKeys(
            cipher: .aes128GCM, local: DTLSTrafficKey(encryptionKey: Array(0..<16), salt: [16, 17, 18, 19]),
            remote: DTLSTrafficKey(encryptionKey: Array(32..<48), salt: [48, 49, 50, 51]))
        let records = DTLSRecordLayer.Snapshot(
            keys: keys, nextSequence: 0x0102, nonceOffset: 0x1122_3344_5566_7788, nextPlainSequence: 6,
            finished: [20, 0], window: DTLSReplayWindow(next: 3, seen: 5))
        let fingerprint = DTLSFingerprint(algorithm: .sha1, value: Array(100..<120))
        let snapshot = DTLSConnection.Snapshot(state: .connected, remoteFingerprint: fingerprint, records: records)
        let golden: [UInt8] =
            [1, 2, 20, 20, 0] + Array(100..<120) + [1, 1] + Array(0..<20) + Array(32..<52)
            + [2, 1, 0, 0, 0, 0, 0, 0] + [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11] + [6, 0, 0, 0, 0, 0, 0, 0]
            + [3, 0, 0, 0, 0, 0, 0, 0] + [5, 0, 0, 0, 0, 0, 0, 0] + [2, 20, 0]
        #expect(bytes(of: snapshot) == golden)
        #expect(try self.snapshot(of: golden) == snapshot)
    }

    @Test func `keys do not show when a snapshot is printed`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.begin()
        pair.exchange()
        let snapshot = try #require(pair.server.snapshot)
        let keys = try #require(snapshot.records).keys
        var dumped = ""
        dump(snapshot, to: &dumped)
        let printed = "\(snapshot) \(String(reflecting: snapshot)) \(keys) " + dumped
        for key in [keys.local, keys.remote] {
            #expect(!printed.contains("\(key.encryptionKey)".dropFirst().dropLast()))
        }
        #expect(!printed.contains("encryptionKey"))
    }
}
