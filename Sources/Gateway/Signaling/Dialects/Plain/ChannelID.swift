import Synchronization

/// A channel's number, for who has to be made before the channel is.
final class ChannelID: Sendable {
    private let number = Mutex<UInt64?>(nil)

    var value: UInt64? {
        get { number.withLock { $0 } }
        set { number.withLock { $0 = newValue } }
    }
}
