/// What an association has to say to its owner.
enum SCTPEvent: Hashable, Sendable {
    /// The handshake is complete.
    case connected
    /// The peer began again: streams count from 0, and what was sent in part is sent again.
    case restarted
    case messageReceived(SCTPMessage)
    /// The peer's streams are reset; an empty list means all of them.
    case incomingStreamsReset([UInt16])
    /// The peer has confirmed the reset of ours.
    case outgoingStreamsReset([UInt16])
    /// The peer has refused it; the streams go on.
    case outgoingResetRefused([UInt16])
    /// The peer has answered a wish for more streams; so many there are now.
    case outgoingStreams(UInt16)
    /// What waits on a stream has come down to its threshold.
    case bufferedAmountLow(stream: UInt16)
    case closed(SCTPEnd)
}
