/// What an association has seen that is worth a figure.
struct SCTPCounters: Hashable, Sendable {
    /// Packets without a chunk that can be read, or with one that ends behind them.
    var malformed: UInt64 = 0
    var wrongChecksum: UInt64 = 0
    /// Packets with other ports, or with a tag that is not this association's.
    var foreign: UInt64 = 0
    /// Cookies that are not ours, damaged or too old.
    var refusedCookies: UInt64 = 0
    /// Chunks of data that came twice.
    var duplicates: UInt64 = 0
    /// Chunks of data without room for them, or too far ahead.
    var dropped: UInt64 = 0
    /// What was asked too often in a second, and so not answered.
    var overQuota: UInt64 = 0
    /// What no state expects: late handshakes, acknowledgements of what was never sent.
    var ignored: UInt64 = 0
}

extension SCTPCounters: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        malformed = try reader.readCounter()
        wrongChecksum = try reader.readCounter()
        foreign = try reader.readCounter()
        refusedCookies = try reader.readCounter()
        duplicates = try reader.readCounter()
        dropped = try reader.readCounter()
        overQuota = try reader.readCounter()
        ignored = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        for value in [malformed, wrongChecksum, foreign, refusedCookies, duplicates, dropped, overQuota, ignored] {
            writer.writeUInt64(value)
        }
    }
}
