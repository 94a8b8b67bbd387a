/// Whose data producers a viewer that has not joined is sent.
enum WatchedData: Hashable {
    case everybody
    case one(PeerID)

    func contains(_ peer: PeerID) -> Bool {
        switch self {
        case .everybody: true
        case .one(let one): one == peer
        }
    }
}
