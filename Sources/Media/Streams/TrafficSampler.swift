/// A transport's bitrates from its running counters, looked at about once a second: nothing to do for a packet.
struct TrafficSampler {
    /// Two samples are at least this far apart, so a bitrate is over one to two of them.
    static let interval = MediaDuration.seconds(1)

    fileprivate struct Sample {
        var time: MediaInstant
        var bytes: TransportTraffic
    }

    private var older: Sample
    private var newer: Sample

    init(at now: MediaInstant) {
        older = Sample(time: now, bytes: TransportTraffic())
        newer = older
    }

    /// Call now and then, and before `bitrates`.
    mutating func sample(_ bytes: TransportTraffic, at now: MediaInstant) {
        guard now - newer.time >= Self.interval else { return }
        older = newer
        newer = Sample(time: now, bytes: bytes)
    }

    /// Nothing was sampled for long because nothing came: rates begin now.
    mutating func restart(_ bytes: TransportTraffic, at now: MediaInstant) {
        newer = Sample(time: now, bytes: bytes)
        older = newer
    }

    /// Bits a second of each kind since the sample before the last.
    func bitrates(_ bytes: TransportTraffic, at now: MediaInstant) -> TransportTraffic {
        let milliseconds = UInt64(max((now - older.time).milliseconds, 0))
        guard milliseconds > 0 else { return TransportTraffic() }
        func rate(_ path: KeyPath<TransportTraffic, UInt64>) -> UInt64 {
            (bytes[keyPath: path] &- older.bytes[keyPath: path]) &* 8000 / milliseconds
        }
        var result = TransportTraffic()
        result.received = rate(\.received)
        result.sent = rate(\.sent)
        result.rtpReceived = rate(\.rtpReceived)
        result.rtpSent = rate(\.rtpSent)
        result.rtxReceived = rate(\.rtxReceived)
        result.rtxSent = rate(\.rtxSent)
        result.probationSent = rate(\.probationSent)
        return result
    }
}

// MARK: Snapshot

extension TrafficSampler: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        older = try reader.read()
        newer = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(older)
        writer.write(newer)
    }
}

extension TrafficSampler.Sample: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        time = try reader.read()
        bytes = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(time)
        writer.write(bytes)
    }
}
