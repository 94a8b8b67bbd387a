/// What has become of packets whose fate is settled: no later report will change it.
struct SettledPackets: Equatable {
    var packets = 0
    var bytes: UInt64 = 0
    var lostPackets = 0
    var lostBytes: UInt64 = 0
    /// When the last of them was sent.
    var lastSentAt: MediaInstant?
}
