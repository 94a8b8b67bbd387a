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

    /// The metric's label: the case's name in snake case.
    public var label: String { snakeCase(String(describing: self)) }
}

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
    case packetsRetransmitted
    case packetsToOtherShards
    case nacksSent
    case nacksReceived
    case keyFrameRequestsSent
    case keyFrameRequestsReceived
    case keyFramesReceived
    case transportFeedbackSent
    /// BYE packets (RFC 3550 §6.6).
    case goodbyesReceived
    case reportsSent
    case stunRequests
    case stunRejected
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

    /// The metric's name part: the case's name in snake case.
    public var label: String { snakeCase(String(describing: self)) }
}

/// `unknownSSRC` as `unknown_ssrc`: how metrics spell names.
private func snakeCase(_ name: String) -> String {
    var text = ""
    var isInsideWord = false
    for character in name {
        if character.isUppercase, isInsideWord { text.append("_") }
        text.append(contentsOf: character.lowercased())
        isInsideWord = !character.isUppercase
    }
    return text
}
