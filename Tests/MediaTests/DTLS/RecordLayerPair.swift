@testable import RoundhouseMedia

/// A record layer in a box, with what it meant and answered: the testing macros copy what they are given.
final class TestRecordLayer {
    private var layer: DTLSRecordLayer
    private(set) var events: [DTLSRecordEvent] = []
    private var output = DatagramQueue()

    var counters: DTLSRecordCounters { layer.counters }
    var snapshot: DTLSRecordLayer.Snapshot { layer.snapshot }

    init?(_ snapshot: DTLSRecordLayer.Snapshot) {
        guard let layer = DTLSRecordLayer(restoring: snapshot) else { return nil }
        self.layer = layer
    }

    /// Goes on in another layer, as another process would.
    func move() throws {
        var writer = SnapshotWriter()
        layer.snapshot.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        let snapshot = try DTLSRecordLayer.Snapshot(from: &reader)
        guard reader.isAtEnd, let next = DTLSRecordLayer(restoring: snapshot) else { throw WireError.malformed }
        layer = next
    }

    func write(_ type: DTLSContentType, _ payload: [UInt8]) -> Bool { layer.write(type, payload, to: &output) }

    /// One record, or `nil` when nothing may be written.
    func written(_ payload: [UInt8], as type: DTLSContentType = .applicationData) -> [UInt8]? {
        write(type, payload) ? sent() : nil
    }

    /// The next datagram to be sent.
    func sent() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 20_000)
        return buffer.withUnsafeMutableBytes { output.removeFirst(into: $0) }.map { Array(buffer[..<$0]) }
    }

    /// What a datagram means.
    @discardableResult
    func receive(_ datagram: [UInt8]) -> [DTLSRecordEvent] {
        let before = events.count
        datagram.withUnsafeBytes { layer.datagramReceived($0, events: &events, output: &output) }
        return Array(events[before...])
    }
}

/// Two record layers with each other's keys, made up.
struct RecordLayerPair {
    let client: TestRecordLayer
    let server: TestRecordLayer

    init(_ cipher: DTLSCipher, nextSequence: UInt64 = 1) throws {
        func key(_ first: UInt8) -> DTLSTrafficKey {
            DTLSTrafficKey(
                encryptionKey: (0..<UInt8(cipher.keyLength)).map { $0 &+ first },
                salt: (0..<UInt8(cipher.fixedLength)).map { $0 ^ first })
        }
        func snapshot(_ local: UInt8, _ remote: UInt8, finished: [UInt8]) -> DTLSRecordLayer.Snapshot {
            DTLSRecordLayer.Snapshot(
                keys: DTLSRecordKeys(cipher: cipher, local: key(local), remote: key(remote)),
                nextSequence: nextSequence,
                nonceOffset: cipher == .chaCha20Poly1305 ? 1 << 48 : 0xFFFF_FFFF_FFFF_FFF0 &+ UInt64(local),
                nextPlainSequence: 5, finished: finished, window: DTLSReplayWindow())
        }
        let finished = [20, 0, 0, 12, 0, 7, 0, 0, 0, 0, 0, 12] + [UInt8](repeating: 0xAB, count: 12)
        guard let client = TestRecordLayer(snapshot(1, 101, finished: [])),
            let server = TestRecordLayer(snapshot(101, 1, finished: finished))
        else { throw WireError.malformed }
        self.client = client
        self.server = server
    }
}

/// What stands in the clear before each record of a datagram.
struct WireRecord: Equatable {
    var type: UInt8
    var epoch: UInt16
    var sequence: UInt64
    /// The first eight bytes of the fragment: GCM's explicit nonce in epoch 1.
    var nonce: [UInt8]
    var bytes: [UInt8]

    static func all(of datagram: [UInt8]) -> [WireRecord] {
        datagram.withUnsafeBytes { bytes in
            var records: [WireRecord] = []
            var offset = 0
            while let header = DTLSRecordHeader(bytes, at: offset) {
                let end = min(bytes.count, offset + 13 + header.fragmentLength)
                let record = Array(bytes[offset..<end])
                records.append(
                    WireRecord(
                        type: header.type, epoch: header.epoch, sequence: header.sequence,
                        nonce: Array(record.dropFirst(13).prefix(8)), bytes: record))
                offset = end
            }
            return records
        }
    }
}
