extension DTLSRecordLayer {
    /// An association's records as plain values, keys included.
    struct Snapshot: Equatable {
        static let version: UInt8 = 1

        var keys: DTLSRecordKeys
        var nextSequence: UInt64
        var nonceOffset: UInt64
        var nextPlainSequence: UInt64
        /// At most 255 bytes: a Finished message has 24.
        var finished: [UInt8]
        var window: DTLSReplayWindow

        init(
            keys: DTLSRecordKeys, nextSequence: UInt64, nonceOffset: UInt64, nextPlainSequence: UInt64,
            finished: [UInt8], window: DTLSReplayWindow
        ) {
            self.keys = keys
            self.nextSequence = nextSequence
            self.nonceOffset = nonceOffset
            self.nextPlainSequence = nextPlainSequence
            self.finished = finished
            self.window = window
        }

        init(from reader: inout SnapshotReader) throws(WireError) {
            guard try reader.readUInt8() == Self.version else { throw .unsupportedVersion }
            guard let cipher = DTLSCipher(rawValue: try reader.readUInt8()) else { throw .malformed }
            let local = try Self.key(cipher, from: &reader)
            let remote = try Self.key(cipher, from: &reader)
            keys = DTLSRecordKeys(cipher: cipher, local: local, remote: remote)
            nextSequence = try reader.readUInt64()
            nonceOffset = try reader.readUInt64()
            nextPlainSequence = try reader.readUInt64()
            window = DTLSReplayWindow(next: try reader.readUInt64(), seen: try reader.readUInt64())
            finished = try reader.readBytes(Int(try reader.readUInt8()))
        }

        func write(to writer: inout SnapshotWriter) {
            writer.writeUInt8(Self.version)
            writer.writeUInt8(keys.cipher.rawValue)
            for key in [keys.local, keys.remote] {
                writer.writeBytes(key.encryptionKey)
                writer.writeBytes(key.salt)
            }
            for number in [nextSequence, nonceOffset, nextPlainSequence, window.next, window.seen] {
                writer.writeUInt64(number)
            }
            writer.writeUInt8(UInt8(truncatingIfNeeded: finished.count))
            writer.writeBytes(finished)
        }

        private static func key(
            _ cipher: DTLSCipher, from reader: inout SnapshotReader
        ) throws(WireError) -> DTLSTrafficKey {
            let key = try reader.readBytes(cipher.keyLength)
            return DTLSTrafficKey(encryptionKey: key, salt: try reader.readBytes(cipher.fixedLength))
        }
    }
}
