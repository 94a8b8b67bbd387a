/// What statistics shall hold beside counters. Each costs a copy.
public struct StatisticsDetail: OptionSet, Sendable {
    /// The set as bits.
    public let rawValue: UInt8

    /// The set of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What was known and decided of each transport's bandwidth lately.
    public static let history = StatisticsDetail(rawValue: 1)
    /// What is being written down of it for a replay.
    public static let recording = StatisticsDetail(rawValue: 2)
}
