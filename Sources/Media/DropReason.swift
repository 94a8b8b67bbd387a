/// Why a shard dropped a datagram or packet. Every case is a label of `roundhouse_media_dropped_packets_total`.
public enum DropReason: Int, CaseIterable, Sendable {
    /// Longer than any datagram we accept.
    case oversizedDatagram
    /// None of STUN, DTLS, RTP, RTCP (RFC 7983).
    case unknownDatagram
    /// Media or DTLS from an address that never passed an ICE check.
    case unknownTuple
    /// A STUN message that cannot be parsed, or an indication or response nobody asked for.
    case malformedSTUN
    /// A binding request for a user name fragment nobody has.
    case unknownUsernameFragment
    /// RTP or RTCP before the DTLS handshake made its keys, or signaling brought a plain transport's.
    case beforeHandshake
    /// Sent to a plain transport from another address than its client's.
    case foreignSource
    case malformedRTP
    case malformedRTCP
    /// An RTCP packet that is in order and that this server has no use for.
    case unsupportedRTCP
    case srtpAuthentication
    case srtpReplay
    case srtpTooManyStreams
    /// Its producer, or its transport with all its producers, sends more than it may.
    case producerRate
    case transportRate
    /// A DTLS record that is cut off, or shorter than what protects it.
    case malformedDTLS
    /// A DTLS record that was not made with the peer's key, or changed on the way.
    case dtlsAuthentication
    case dtlsReplay
    /// DTLS of another epoch or version, or outside of an association: mostly a flight of the handshake come again.
    case unexpectedDTLS
    /// An SSRC that no producer announced and that neither MID, RID nor payload type explains.
    case unknownSSRC
    /// A payload type the producer did not declare.
    case unknownPayloadType
    /// Another stream that still sends has the encoding that its MID, RID or payload type names.
    case streamConflict
    case duplicatePacket
    /// Outside the window of plausible sequence numbers (RFC 3550 A.1).
    case implausibleSequence
    /// A retransmission that carries no packet, or one we already have.
    case uselessRetransmission
    case producerPaused
    /// Waiting for a key frame of the encoding to forward.
    case awaitingKeyFrame
    /// Too large to be forwarded once its header was rewritten.
    case oversizedPacket
    /// The ring to another shard was full.
    case ringFull
    /// The kernel refused it (send buffer full, unreachable).
    case sendRefused
    /// The shard's table of transports, tuples or streams was full.
    case tableFull
    /// A length on a TCP connection that no packet has (RFC 4571).
    case malformedTCP
    /// The client's TCP connection takes less than is meant for it: a packet of each kind.
    case tcpQueueVideo
    case tcpQueueAudio
    case tcpQueueData
    case tcpQueueControl

    /// The metric's label: the case's name in snake case.
    public var label: String { snakeCase(String(describing: self)) }
}
