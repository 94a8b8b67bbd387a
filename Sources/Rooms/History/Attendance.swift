/// The people of one room from its opening on: when each came and went.
///
/// A machine: it takes events in their order.
struct Attendance: Sendable, Hashable {
    struct Visit: Sendable, Hashable, JSONRepresentable {
        let peerID: PeerID
        var displayName: String
        /// Milliseconds since 1970, like all times here.
        let joinedAt: Int64
        var leftAt: Int64?
        var reason: PeerCloseReason?

        var json: JSONValue {
            .fields([
                "peerId": .string(peerID.rawValue), "displayName": .string(displayName), "joinedAt": .integer(joinedAt),
                "leftAt": leftAt.map { .integer($0) }, "reason": reason.map { .string($0.rawValue) },
            ])
        }
    }

    /// Visits that are kept of one room.
    static let limit = 200

    /// The first ones, in the order of their coming.
    private(set) var visits: [Visit] = []
    /// All of them, those that are not kept too.
    private(set) var joined = 0
    private(set) var mostAtOnce = 0
    private var present = 0
    /// Where the visits of those who are there lie.
    private var places: [PeerID: Int] = [:]
    private var others: Set<PeerID> = []

    mutating func take(_ kind: RoomEvent.Kind, at time: Int64) {
        switch kind {
        case .peerJoined(let peer):
            joined += 1
            present += 1
            mostAtOnce = max(mostAtOnce, present)
            if visits.count < Self.limit {
                places[peer.id] = visits.count
                visits.append(Visit(peerID: peer.id, displayName: peer.displayName, joinedAt: time))
            } else {
                others.insert(peer.id)
            }
        case .peerRenamed(let id, let displayName):
            if let place = places[id] { visits[place].displayName = displayName }
        case .peerLeft(let id, let reason):
            if let place = places.removeValue(forKey: id) {
                visits[place].leftAt = time
                visits[place].reason = reason
                present -= 1
            } else if others.remove(id) != nil {
                present -= 1
            }
        default: break
        }
    }
}
