extension SRTPSender {
    /// What a sealer knows, as plain values, the key included.
    struct Snapshot: Equatable {
        static let version: UInt8 = 1

        var profile: SRTPProfile
        var master: SRTPMasterKey
        var nextRTCPIndex: UInt32
    }
}

extension SRTPSender.Snapshot {
    init(from reader: inout SnapshotReader) throws(WireError) {
        guard try reader.readUInt8() == Self.version else { throw .unsupportedVersion }
        let profile = try SRTPProfile(from: &reader)
        let master = try SRTPMasterKey(profile, from: &reader)
        self.init(profile: profile, master: master, nextRTCPIndex: try reader.readUInt32())
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.version)
        writer.writeUInt16(profile.identifier)
        master.write(to: &writer)
        writer.writeUInt32(nextRTCPIndex)
    }
}
