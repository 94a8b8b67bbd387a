import Synchronization

/// A road's number, for who has to be made before the road is.
final class RoadNumber: Sendable {
    private let number = Mutex<UInt64?>(nil)

    var value: UInt64? {
        get { number.withLock { $0 } }
        set { number.withLock { $0 = newValue } }
    }
}
