import NIOCore
import Synchronization

/// The heartbeats of all event loops of a server.
final class HeartbeatSchedules: Sendable {
    private let schedules = Mutex<[ObjectIdentifier: NIOLoopBound<HeartbeatSchedule>]>([:])

    /// To be called on the loop.
    func schedule(of loop: any EventLoop) -> HeartbeatSchedule {
        schedules.withLock { schedules in
            if let known = schedules[ObjectIdentifier(loop)] { return known }
            let new = NIOLoopBound(HeartbeatSchedule(loop), eventLoop: loop)
            schedules[ObjectIdentifier(loop)] = new
            return new
        }.value
    }
}
