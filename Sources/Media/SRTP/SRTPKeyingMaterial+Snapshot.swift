// A key's lengths are its profile's, and the profile's number is that of the use_srtp extension.

extension SRTPKeyingMaterial {
    init(from reader: inout SnapshotReader) throws(WireError) {
        let profile = try SRTPProfile(from: &reader)
        let local = try SRTPMasterKey(profile, from: &reader)
        self.init(profile: profile, local: local, remote: try SRTPMasterKey(profile, from: &reader))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt16(profile.identifier)
        local.write(to: &writer)
        remote.write(to: &writer)
    }
}

extension SRTPProfile {
    init(from reader: inout SnapshotReader) throws(WireError) {
        guard let profile = SRTPProfile(identifier: UInt(try reader.readUInt16())) else { throw .malformed }
        self = profile
    }
}

extension SRTPMasterKey {
    init(_ profile: SRTPProfile, from reader: inout SnapshotReader) throws(WireError) {
        let key = try reader.readBytes(profile.keyLength)
        self.init(key: key, salt: try reader.readBytes(profile.saltLength))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeBytes(key)
        writer.writeBytes(salt)
    }
}
