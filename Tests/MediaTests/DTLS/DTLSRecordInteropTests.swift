import COpenSSL
import TestSupport
import Testing

@testable import RoundhouseMedia

/// A suite, which side of the handshake ours is, and whether the record layer takes over.
struct InteropCase: CustomTestStringConvertible, Sendable {
    var suite: String
    var isClient: Bool
    var takesOver: Bool

    static let all = [true, false].flatMap { isClient in
        [
            ("ECDHE-ECDSA-AES128-GCM-SHA256", true), ("ECDHE-ECDSA-AES256-GCM-SHA384", true),
            ("ECDHE-ECDSA-CHACHA20-POLY1305", true), ("ECDHE-ECDSA-AES128-SHA", false),
        ].map { InteropCase(suite: $0.0, isClient: isClient, takesOver: $0.1) }
    }
    static let takingOver = all.filter(\.takesOver)

    var testDescription: String { "\(suite) as \(isClient ? "client" : "server")" }
}

/// A connection of ours that has made its handshake with libssl.
final class InteropCall {
    let connection: DTLSConnection
    let peer: PlainPeer
    private let now = MediaInstant(nanoseconds: 1_000_000_000)
    private(set) var events: [DTLSEvent] = []
    /// Every record of ours in the clear part of its header.
    private(set) var sent: [WireRecord] = []

    init(_ row: InteropCase) throws {
        let ours = try DTLSCertificate(isLegacy: true)
        let theirs = try DTLSCertificate()
        let context = try PlainContext(like: theirs, ciphers: row.suite, offersSRTP: true)
        connection = try DTLSConnection(certificate: ours)
        peer = try PlainPeer(context: context, isClient: !row.isClient)
        connection.setRemoteFingerprint(theirs.fingerprints[2])
        WallClock.set(now)
        connection.start(role: row.isClient ? .client : .server, at: now)
        for _ in 0..<6 {
            _ = SSL_do_handshake(peer.ssl)
            exchange()
        }
        ERR_clear_error()
        try #require(connection.state == .connected && SSL_is_init_finished(peer.ssl) == 1)
        #expect((connection.handshake == nil) == row.takesOver)
        let suite = try #require(SSL_get_current_cipher(peer.ssl))
        #expect(String(cString: SSL_CIPHER_get_name(suite)) == row.suite)
    }

    /// Carries what there is once in each direction.
    func exchange() {
        if let bytes = peer.taken() { bytes.withUnsafeBytes { connection.datagramReceived($0, at: now) } }
        while let bytes = DTLSPair.polled(connection) {
            sent += WireRecord.all(of: bytes)
            peer.give(bytes)
        }
        while let event = connection.pollEvent() { events.append(event) }
    }

    func inject(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { connection.datagramReceived($0, at: now) }
        while let event = connection.pollEvent() { events.append(event) }
    }
}

@Suite("DTLS records with libssl on the other side")
struct DTLSRecordInteropTests {
    @Test(arguments: InteropCase.all)
    func `application data goes both ways`(row: InteropCase) throws {
        let call = try InteropCall(row)
        for length in [1, 2, 100, 1000, 1150] {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ length) }
            #expect(call.peer.send(payload) && call.connection.send(payload))
            call.exchange()
            #expect(call.events.last == .applicationData(payload))
            #expect(call.peer.read() == .data(payload))
        }
        #expect(call.connection.counters.records == DTLSRecordCounters())
    }

    @Test(arguments: InteropCase.all)
    func `libssl understands our close_notify`(row: InteropCase) throws {
        let call = try InteropCall(row)
        call.connection.close()
        call.exchange()
        #expect(call.peer.read() == .closed)
        #expect(call.connection.state == .closed)
        #expect(call.events.count == 2)
    }

    @Test(arguments: InteropCase.all)
    func `libssl's close_notify closes us, and is answered`(row: InteropCase) throws {
        let call = try InteropCall(row)
        #expect(!call.peer.close())
        call.exchange()
        #expect(call.events.last == .closed && call.connection.state == .closed)
        #expect(call.peer.close(), "our close_notify has arrived")
        call.exchange()
        #expect(call.connection.handshake == nil)
    }

    @Test(arguments: InteropCase.takingOver)
    func `fatal alerts are understood in both directions`(row: InteropCase) throws {
        let call = try InteropCall(row)
        let snapshot = try #require(call.connection.recordsSnapshot)
        let ours = try #require(TestRecordLayer(snapshot))
        // An alert of no known level is a fault that libssl answers with a fatal one.
        let alert = try #require(ours.written([3, 40], as: .alert))
        call.peer.give(alert)
        guard case .failed(let reason) = call.peer.read() else {
            Issue.record("libssl took an alert without a level")
            return
        }
        #expect(reason == SSL_R_UNKNOWN_ALERT_TYPE)
        call.exchange()
        #expect(call.events.last == .failed(.alertReceived) && call.connection.state == .failed)

        let other = try InteropCall(row)
        let saved = try #require(other.connection.recordsSnapshot)
        let writer = try #require(TestRecordLayer(saved))
        let fatal = try #require(writer.written([2, 40], as: .alert))
        other.peer.give(fatal)
        #expect(other.peer.read() == .failed(reason: SSL_AD_REASON_OFFSET + 40))
    }

    @Test(arguments: InteropCase.takingOver)
    func `what is forged, cut, changed or sent again ends nothing and goes no further`(row: InteropCase) throws {
        let call = try InteropCall(row)
        #expect(call.peer.send(Array(1...40)))
        let record = try #require(call.peer.taken())
        for length in 0..<record.count { call.inject(Array(record.prefix(length))) }
        for bit in 0..<8 * record.count {
            var changed = record
            changed[bit / 8] ^= 1 << (bit % 8)
            call.inject(changed)
        }
        call.inject([21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40])
        #expect(call.events.count == 2 && call.connection.state == .connected)
        call.inject(record)
        call.inject(record)
        #expect(call.events.count == 3 && call.events.last == .applicationData(Array(1...40)))
        // One of the changed ones had the number of the peer's Finished.
        let counters = call.connection.counters.records
        #expect(counters.replayed == 2 && counters.forged > 300 && counters.malformed > 30 && counters.foreign > 0)
        #expect(ERR_peek_error() == 0)
    }

    @Test(arguments: InteropCase.takingOver)
    func `our numbers and nonces continue libssl's, and none comes twice`(row: InteropCase) throws {
        let call = try InteropCall(row)
        let byLibssl = call.sent.filter { $0.epoch == 1 }.count
        #expect(byLibssl == 1, "libssl used number 0 for its Finished")
        for _ in 0..<20 { #expect(call.connection.send([1, 2, 3])) }
        call.exchange()
        call.connection.close()
        call.exchange()
        let records = call.sent.filter { $0.epoch == 1 }
        #expect(records.map(\.sequence) == Array(0..<22))
        if row.suite.contains("GCM") {
            let nonces = records.map { $0.nonce.reduce(0 as UInt64) { $0 << 8 | UInt64($1) } }
            #expect(Set(nonces).count == 22)
            #expect(zip(nonces, nonces.dropFirst()).allSatisfy { $0 &+ 1 == $1 })
            // Had we taken epoch and number for a nonce, as many do, this would be one of them.
            #expect(nonces[0] != 1 << 48)
        }
    }

    @Test func `libssl begins its explicit nonces anywhere, so two of ours do, too`() throws {
        let row = InteropCase.takingOver[0]
        let first = try InteropCall(row).sent.first { $0.epoch == 1 }?.nonce
        let second = try InteropCall(row).sent.first { $0.epoch == 1 }?.nonce
        #expect(first != nil && first != second)
    }

    @Test(arguments: InteropCase.takingOver)
    func `records go on in a connection that was restored, as libssl sees it`(row: InteropCase) throws {
        let call = try InteropCall(row)
        for round in 0..<5 as Range<UInt8> {
            let snapshot = try #require(call.connection.recordsSnapshot)
            let moved = try #require(TestRecordLayer(snapshot))
            // What the one writes the other does not: libssl would take it for a replay.
            let record = try #require(moved.written([round]))
            #expect(call.connection.send([round]))
            call.exchange()
            #expect(call.sent.last?.bytes == record)
            #expect(call.peer.read() == .data([round]))
        }
    }
}
