/// The RTCP feedback negotiated for a codec.
public struct FeedbackSupport: OptionSet, Sendable, Hashable {
    /// One bit for each kind.
    public let rawValue: UInt8
    /// Feedback by its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Negative acknowledgements (RFC 4585).
    public static let nack = FeedbackSupport(rawValue: 1)
    /// `nack pli` (RFC 4585).
    public static let pictureLossIndication = FeedbackSupport(rawValue: 2)
    /// `ccm fir` (RFC 5104).
    public static let fullIntraRequest = FeedbackSupport(rawValue: 4)
    /// `transport-cc`.
    public static let transportWide = FeedbackSupport(rawValue: 8)
    /// `goog-remb`.
    public static let receiverEstimatedMaximumBitrate = FeedbackSupport(rawValue: 16)
}
