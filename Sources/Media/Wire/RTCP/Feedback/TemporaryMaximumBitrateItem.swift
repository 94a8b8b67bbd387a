/// One limit of a TMMBR or TMMBN packet (RFC 5104 §4.2.1.1).
struct TemporaryMaximumBitrateItem: Hashable, Sendable {
    /// The stream whose sender is limited; of a notification, the one who asked for it.
    var ssrc: SSRC
    /// Bits per second, the measured overhead included.
    var bitrate: UInt64
    /// Bytes a packet, 0…511.
    var overhead: UInt16
}
