import Synchronization

/// How often each limit of rooms was met.
public final class LimitCounters: Sendable {
    private let counts = Mutex<[RoomLimit: UInt64]>([:])

    init() {}

    /// So often since the start.
    public subscript(limit: RoomLimit) -> UInt64 { counts.withLock { $0[limit] ?? 0 } }

    /// Counts what `body` throws, if it is a limit.
    func counting<Value>(_ body: () throws(RoomError) -> Value) throws(RoomError) -> Value {
        do {
            return try body()
        } catch {
            if let limit = error.limit { counts.withLock { $0[limit, default: 0] &+= 1 } }
            throw error
        }
    }
}
