import RoundhouseRooms
import Synchronization

/// The broadcasters by their rooms and names.
final class BroadcasterTable: Sendable {
    private let broadcasters = Mutex<[Broadcaster.Key: Broadcaster]>([:])
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    subscript(key: Broadcaster.Key) -> Broadcaster? { broadcasters.withLock { $0[key] } }

    /// - Returns: `nil` if there is one of this name, or there are too many.
    func make(
        _ key: Broadcaster.Key, _ join: JoinRequest, owner: Broadcaster.Owner, intake: SignalingIntake,
        lease: HoldingLease
    ) -> Broadcaster? {
        let broadcaster = Broadcaster(key: key, join: join, owner: owner, intake: intake, lease: lease) { [weak self] in
            self?.remove(key)
        }
        return broadcasters.withLock { broadcasters in
            guard broadcasters[key] == nil, broadcasters.count < limit else { return nil }
            broadcasters[key] = broadcaster
            return broadcaster
        }
    }

    func remove(_ key: Broadcaster.Key) { broadcasters.withLock { $0[key] = nil } }
}
