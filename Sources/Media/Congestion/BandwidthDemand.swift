/// What a transport's consumers want, in bits per second on the wire.
struct BandwidthDemand: Equatable, Sendable {
    /// The costs of all that is being sent, audio included.
    var allocated: UInt64 = 0
    /// What everything together would need with the cheapest useful further step; zero if nothing more is wanted.
    var nextStep: UInt64 = 0
    /// What everything together would need if every wish were fulfilled.
    var wanted: UInt64 = 0
}

// MARK: Snapshot

extension BandwidthDemand: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        allocated = try reader.read()
        nextStep = try reader.read()
        wanted = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(allocated)
        writer.write(nextStep)
        writer.write(wanted)
    }
}
