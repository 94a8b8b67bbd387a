import RoundhouseMedia

/// What a room knows of a transport's data channels.
struct TransportData {
    let settings: DataTransportSettings
    var state = SCTPConnectionState.new
    var producerIDs: [DataProducerID] = []
    var consumerIDs: [DataConsumerID] = []
    /// The client's channels, and ours.
    var producerStreams: Set<UInt16> = []
    var consumerStreams: Set<UInt16> = []
    private var nextStream: UInt16 = 0

    init(settings: DataTransportSettings) { self.settings = settings }

    /// The next free stream after the last one that was given, below the number of them.
    /// - Returns: `nil` if all are in use.
    mutating func takeStream() -> UInt16? {
        let limit = min(settings.outgoingStreams, 65_535)
        // Opened in band, a DTLS client's channels have even numbers, a server's odd ones (RFC 8832 §6).
        let remainder: UInt16? = settings.inBandRole.map { $0 == .client ? 0 : 1 }
        for _ in 0..<limit {
            let stream = nextStream < limit ? nextStream : 0
            nextStream = stream + 1
            if let remainder, stream % 2 != remainder { continue }
            // A channel goes both ways: one number for both would be one channel.
            if !producerStreams.contains(stream), consumerStreams.insert(stream).inserted { return stream }
        }
        return nil
    }
}
