/// How often one producer or consumer may report within its transport's compounds.
struct ReportThrottle {
    private let interval: MediaDuration
    private(set) var lastReport: MediaInstant?

    init(kind: MediaKind) { interval = kind == .audio ? .milliseconds(5000) : .milliseconds(1000) }

    /// Whether this object reports now; 15 % early counts, so that the compound's jitter does not skip a turn.
    mutating func mayReport(at now: MediaInstant) -> Bool {
        if let lastReport, (now - lastReport).nanoseconds / 100 * 115 < interval.nanoseconds { return false }
        lastReport = now
        return true
    }
}

extension ReportThrottle: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        interval = try reader.read()
        lastReport = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(interval)
        writer.writeOptional(lastReport)
    }
}
