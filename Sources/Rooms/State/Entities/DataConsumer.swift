import RoundhouseMedia

/// A data consumer, before or after the media plane took it.
struct DataConsumer {
    enum Phase: Hashable {
        /// Not yet on the media plane; the client has not heard of it.
        case opening
        /// Offered to the client, which has not yet answered.
        case offered(DataConsumerKey)
        case accepted(DataConsumerKey)
    }

    let id: DataConsumerID
    let peerID: PeerID
    let producerID: DataProducerID
    let transportID: TransportID
    let parameters: SCTPStreamParameters
    let label: String
    let protocolName: String
    var subchannels: [UInt16]
    var isPaused: Bool
    /// What its client wants to be notified of; `nil` for nothing.
    var threshold: UInt32?
    var phase = Phase.opening

    var key: DataConsumerKey? {
        switch phase {
        case .opening: nil
        case .offered(let key), .accepted(let key): key
        }
    }
}
