/// What a shard counts. Every case is a metric `roundhouse_media_<label>_total`.
public enum ShardCounter: Int, CaseIterable, Sendable {
    case datagramsReceived
    case bytesReceived
    case datagramsSent
    case bytesSent
    /// What the kernel was handed: a message is one datagram, or several of equal size for one destination.
    case messagesSent
    /// Larger than an Ethernet path's MTU of 1,500 bytes carries whole: the kernel sends it in IP fragments, which many
    /// paths lose.
    case datagramsAboveMTU
    case packetsReceived
    case packetsForwarded
    /// Of the two before, those of sound; all else is video.
    case audioPacketsReceived
    case audioPacketsForwarded
    case packetsRetransmitted
    case packetsToOtherShards
    case nacksSent
    case nacksReceived
    case keyFrameRequestsSent
    case keyFrameRequestsReceived
    case keyFramesReceived
    case transportFeedbackSent
    case estimatesSent
    /// BYE packets (RFC 3550 §6.6).
    case goodbyesReceived
    case reportsSent
    case stunRequests
    case stunRejected
    /// Checks without PRIORITY (RFC 8445 §7.1.1), which were answered all the same.
    case stunWithoutPriority
    case handshakesCompleted
    case handshakesFailed
    case transportsOpened
    case transportsClosed
    case commands
    /// Commands for something that was closed in the meantime: a legitimate race.
    case commandsIgnored
    /// Trace events beyond what a transport may tell in a second, or that a room had no place for.
    case traceEventsDropped
    /// Streams that went on under another SSRC than the announced one.
    case streamsTakenOver
    case wakeups
    /// Connections of clients for media (ICE-TCP), and those that ended, whatever for.
    case tcpConnectionsAccepted
    case tcpConnectionsClosed
    /// Connections that were closed at once: too many of them, or of their address, show nothing of themselves.
    case tcpConnectionsRefused
    /// Connections on which no valid check came in time.
    case tcpConnectionsExpired
    /// Connections whose first packet was no check for a transport that there is.
    case tcpConnectionsMisused
    /// Connections and datagrams of other shards' clients, where all shards share a port.
    case tcpConnectionsHandedOn
    case datagramsHandedOn
    /// Those of the connections that are ways of TURN clients, to one of the shard's addresses each.
    case relayedConnections
    /// SCTP associations that were established, and those that ended because the client broke the protocol or made us hold
    /// too much.
    case dataAssociationsConnected
    case dataAssociationsFailed
    /// Messages from clients, with their bytes.
    case dataMessagesReceived
    case dataBytesReceived
    /// Messages that were queued for consumers.
    case dataMessagesSent
    case dataMessagesToOtherShards
    /// Messages, by consumers, that found too much waiting for the consumer's client, or that it cannot take.
    case dataDroppedSlowConsumer
    /// The same, since all associations of the thread together have too much waiting.
    case dataDroppedMemory
    /// Messages that another thread was too busy for.
    case dataDroppedOtherShard
    /// Messages beyond what the transport may send.
    case dataDroppedRate
    /// Messages on a stream that is no data producer's.
    case dataDroppedNoProducer
    case dataDroppedPaused
    /// SCTP packets on transports without SCTP.
    case dataUnexpected

    /// The metric's name part: the case's name in snake case.
    public var label: String { snakeCase(String(describing: self)) }

    /// What it counts, for whoever reads the metrics.
    public var help: String {
        switch self {
        case .datagramsReceived: "Datagrams from the network."
        case .bytesReceived: "Bytes from the network."
        case .datagramsSent: "Datagrams to the network."
        case .bytesSent: "Bytes to the network."
        case .messagesSent: "Messages handed to the kernel: one datagram each, or several of equal size for one client."
        case .datagramsAboveMTU: "Datagrams sent that are longer than an Ethernet path's MTU carries whole."
        case .packetsReceived: "RTP packets from senders."
        case .packetsForwarded: "RTP packets to receivers."
        case .audioPacketsReceived: "RTP packets of sound from senders."
        case .audioPacketsForwarded: "RTP packets of sound to receivers."
        case .packetsRetransmitted: "RTP packets sent again because a receiver missed them."
        case .packetsToOtherShards: "RTP packets copied to other media threads."
        case .nacksSent: "NACKs to senders."
        case .nacksReceived: "NACKs from receivers."
        case .keyFrameRequestsSent: "Key frame requests (PLI, FIR) to senders."
        case .keyFrameRequestsReceived: "Key frame requests (PLI, FIR) from receivers."
        case .keyFramesReceived: "Key frames from senders."
        case .transportFeedbackSent: "Transport-wide feedback packets to senders."
        case .estimatesSent: "REMB packets to senders: how much they should send."
        case .goodbyesReceived: "RTCP BYE packets from clients."
        case .reportsSent: "RTCP sender and receiver reports."
        case .stunRequests: "Connectivity checks (STUN requests)."
        case .stunRejected: "Connectivity checks answered with an error."
        case .stunWithoutPriority: "Connectivity checks without PRIORITY, which were answered all the same."
        case .handshakesCompleted: "DTLS handshakes that were completed."
        case .handshakesFailed: "DTLS handshakes that failed."
        case .transportsOpened: "Transports opened."
        case .transportsClosed: "Transports closed."
        case .commands: "Commands of rooms to media threads."
        case .commandsIgnored: "Commands for what was closed meanwhile."
        case .traceEventsDropped: "Trace events beyond what may be reported."
        case .streamsTakenOver: "Streams that went on under another SSRC than the announced one."
        case .wakeups: "Times that media threads woke up."
        case .tcpConnectionsAccepted: "TCP connections for media that were accepted."
        case .tcpConnectionsClosed: "TCP connections for media that ended."
        case .tcpConnectionsRefused: "TCP connections for media beyond what may wait for a first check."
        case .tcpConnectionsExpired: "TCP connections for media without a valid check in time."
        case .tcpConnectionsMisused: "TCP connections that began with something else than a check for a transport."
        case .tcpConnectionsHandedOn: "TCP connections handed on to the media thread that they are for."
        case .datagramsHandedOn: "Datagrams handed on to the media thread that they are for."
        case .relayedConnections: "Ways of clients of the TURN server to a media address."
        case .dataAssociationsConnected: "SCTP associations that were established."
        case .dataAssociationsFailed: "SCTP associations that ended by a violation of the protocol or of memory bounds."
        case .dataMessagesReceived: "Messages of data channels from clients."
        case .dataBytesReceived: "Bytes of messages of data channels from clients."
        case .dataMessagesSent: "Messages queued for data consumers."
        case .dataMessagesToOtherShards: "Messages of data channels given to other media threads."
        case .dataDroppedSlowConsumer: "Messages dropped because too much waited for a data consumer's client."
        case .dataDroppedMemory: "Messages dropped because too much waited for all clients of a media thread."
        case .dataDroppedOtherShard: "Messages dropped because another media thread was busy."
        case .dataDroppedRate: "Messages dropped because a transport sent more than it may."
        case .dataDroppedNoProducer: "Messages dropped because no data producer has their channel."
        case .dataDroppedPaused: "Messages dropped because their data producer was paused."
        case .dataUnexpected: "SCTP packets of transports without data channels."
        }
    }
}
