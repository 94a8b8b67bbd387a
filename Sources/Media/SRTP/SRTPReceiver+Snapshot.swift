extension SRTPReceiver {
    /// What an opener knows, as plain values, the key included.
    struct Snapshot: Equatable {
        static let version: UInt8 = 1

        var profile: SRTPProfile
        var master: SRTPMasterKey
        /// At most `SRTPStreamTable.limit`.
        var streams: [SRTPStreamState]
    }
}

extension SRTPReceiver.Snapshot {
    init(from reader: inout SnapshotReader) throws(WireError) {
        guard try reader.readUInt8() == Self.version else { throw .unsupportedVersion }
        let profile = try SRTPProfile(from: &reader)
        let master = try SRTPMasterKey(profile, from: &reader)
        let count = Int(try reader.readUInt16())
        guard count <= SRTPStreamTable.limit else { throw .tooLarge }
        var streams: [SRTPStreamState] = []
        for _ in 0..<count { streams.append(try SRTPStreamState(from: &reader)) }
        self.init(profile: profile, master: master, streams: streams)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.version)
        writer.writeUInt16(profile.identifier)
        master.write(to: &writer)
        writer.writeUInt16(UInt16(streams.count))
        for stream in streams { stream.write(to: &writer) }
    }
}

extension SRTPStreamState {
    /// Bits of the byte that says which of the two indices there are, and whether anybody takes the stream.
    private static let (hasRTP, hasRTCP, isRetired) = (1 as UInt8, 2 as UInt8, 4 as UInt8)

    fileprivate init(from reader: inout SnapshotReader) throws(WireError) {
        ssrc = try reader.readUInt32()
        let present = try reader.readUInt8()
        let index = try reader.readUInt64()
        highestIndex = present & Self.hasRTP != 0 ? index : nil
        window = []
        for _ in 0..<SRTPReplayWindow.wordCount { window.append(try reader.readUInt64()) }
        let rtcpIndex = try reader.readUInt32()
        highestRTCPIndex = present & Self.hasRTCP != 0 ? rtcpIndex : nil
        rtcpWindow = try reader.readUInt64()
        isRetired = present & Self.isRetired != 0
    }

    fileprivate func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(ssrc)
        writer.writeUInt8(
            (highestIndex == nil ? 0 : Self.hasRTP) | (highestRTCPIndex == nil ? 0 : Self.hasRTCP)
                | (isRetired ? Self.isRetired : 0))
        writer.writeUInt64(highestIndex ?? 0)
        for word in window { writer.writeUInt64(word) }
        writer.writeUInt32(highestRTCPIndex ?? 0)
        writer.writeUInt64(rtcpWindow)
    }
}
