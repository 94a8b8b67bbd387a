extension DTLSConnection {
    /// A connection after its handshake, as plain values, keys included.
    struct Snapshot: Equatable {
        static let version: UInt8 = 1

        /// Not `idle` and not `handshaking`.
        var state: State
        var remoteFingerprint: DTLSFingerprint?
        /// `nil` after the end.
        var records: DTLSRecordLayer.Snapshot?
    }

    /// Everything that has to be known to continue elsewhere: take it when everything has been polled. `nil` while that is
    /// not so, while the handshake runs, and where libssl has stayed.
    var snapshot: Snapshot? {
        guard isPolled else { return nil }
        switch state {
        case .idle, .handshaking: return nil
        case .failed, .closed: return Snapshot(state: state, remoteFingerprint: remoteFingerprint, records: nil)
        case .awaitingFingerprint, .connected:
            guard let saved = recordsSnapshot else { return nil }
            return Snapshot(state: state, remoteFingerprint: remoteFingerprint, records: saved)
        }
    }
}

extension DTLSConnection.Snapshot {
    private enum Code {
        static let awaitingFingerprint: UInt8 = 1
        static let connected: UInt8 = 2
        static let closed: UInt8 = 3
        static let failed: UInt8 = 4
    }

    init(from reader: inout SnapshotReader) throws(WireError) {
        guard try reader.readUInt8() == Self.version else { throw .unsupportedVersion }
        let code = try reader.readUInt8()
        remoteFingerprint = try Self.fingerprint(from: &reader)
        switch code {
        case Code.awaitingFingerprint:
            let keys = try SRTPKeyingMaterial(from: &reader)
            state = .awaitingFingerprint(keys, peerCertificate: try reader.readCounted())
        case Code.connected: state = .connected
        case Code.closed: state = .closed
        case Code.failed: state = .failed
        default: throw .malformed
        }
        let isHandshakeComplete = code == Code.awaitingFingerprint || code == Code.connected
        records = isHandshakeComplete ? try DTLSRecordLayer.Snapshot(from: &reader) : nil
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.version)
        switch state {
        case .awaitingFingerprint: writer.writeUInt8(Code.awaitingFingerprint)
        case .connected: writer.writeUInt8(Code.connected)
        case .closed: writer.writeUInt8(Code.closed)
        case .idle, .handshaking, .failed: writer.writeUInt8(Code.failed)
        }
        writer.writeUInt8(UInt8(remoteFingerprint?.algorithm.length ?? 0))
        writer.writeCounted(remoteFingerprint?.value ?? [])
        if case .awaitingFingerprint(let keys, let certificate) = state {
            keys.write(to: &writer)
            writer.writeCounted(certificate)
        }
        records?.write(to: &writer)
    }

    /// An algorithm is named by its digest's length, which no two have in common.
    private static func fingerprint(from reader: inout SnapshotReader) throws(WireError) -> DTLSFingerprint? {
        let length = Int(try reader.readUInt8())
        let value = try reader.readCounted()
        if length == 0 { return nil }
        guard let algorithm = DTLSFingerprint.Algorithm.allCases.first(where: { $0.length == length }) else {
            throw .malformed
        }
        return DTLSFingerprint(algorithm: algorithm, value: value)
    }
}
