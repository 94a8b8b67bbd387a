/// What data channels have to say to their owner.
enum DataChannelEvent: Hashable, Sendable {
    /// The peer has opened a channel.
    case opened(UInt16, DataChannelOpen)
    /// The peer has answered to one that we opened.
    case acknowledged(UInt16)
    case messageReceived(UInt16, DataChannelMessage)
    case bufferedAmountLow(UInt16)
    /// It is over on both sides, and its number free.
    case closed(UInt16)
}
