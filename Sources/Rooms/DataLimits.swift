import RoundhouseMedia

/// What clients' data channels may carry, whatever they ask for.
public struct DataLimits: Sendable, Hashable {
    /// Of one message, in bytes, either way; up to 262,144.
    public var largestMessage: Int
    /// What may wait for one client, in bytes.
    public var sendBuffer: Int
    /// What is taken of one data producer; a second's worth may come at once. Its bytes are bounded as other producers'.
    public var messagesPerSecond: Int

    /// The limits: mediasoup's sizes, and a rate that no person and few programs reach.
    public init(largestMessage: Int = 262_144, sendBuffer: Int = 2_000_000, messagesPerSecond: Int = 10_000) {
        self.largestMessage = largestMessage
        self.sendBuffer = sendBuffer
        self.messagesPerSecond = messagesPerSecond
    }

    /// What a client asks for, as far as it may have it.
    func bound(_ settings: DataTransportSettings) -> DataTransportSettings {
        var bounded = settings
        bounded.largestMessage = min(settings.largestMessage, UInt32(max(1, min(largestMessage, 262_144))))
        bounded.sendBuffer = min(settings.sendBuffer, UInt32(max(1, min(sendBuffer, 1 << 28))))
        bounded.messagesPerSecond = UInt32(max(1, min(messagesPerSecond, 1_000_000)))
        return bounded
    }
}
