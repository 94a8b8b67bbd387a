import RoundhouseRooms

/// Counts looks at which nothing had happened since the one before: a broadcaster has no connection that could break.
struct IdleWatch {
    private var last: (requests: Int, traffic: UInt64)?
    private var looks = 0

    mutating func look(requests: Int, _ activity: PeerActivity) -> Int {
        let isQuiet = !activity.isChecked && last.map { $0 == (requests, activity.traffic) } ?? false
        last = (requests, activity.traffic)
        looks = isQuiet ? looks + 1 : 0
        return looks
    }
}
