/// The values of one report block about a received stream (RFC 3550 §6.4.1).
struct ReceptionReport: Hashable, Sendable {
    /// Packets lost since the previous report as a fraction of 256.
    var fractionLost: UInt8 = 0
    /// Clamped to the field's signed 24 bits; negative when duplicates outnumber losses.
    var cumulativeLost: Int32 = 0
    var extendedHighestSequence: UInt32 = 0
    /// In units of the codec's clock.
    var jitter: UInt32 = 0
    /// The middle 32 bits of the last sender report's NTP time; zero when there was none.
    var lastSenderReport: UInt32 = 0
    /// In units of 1/65536 s; zero when there was no sender report.
    var delaySinceLastSenderReport: UInt32 = 0
}
