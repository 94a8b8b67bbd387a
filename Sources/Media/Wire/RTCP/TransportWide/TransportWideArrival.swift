/// The arrival of one packet as a feedback encodes it.
enum TransportWideArrival: Hashable, Sendable {
    case notReceived
    /// Ticks of 250 µs since the last received packet before it, for the first one since the reference time.
    case received(delta: Int16)

    /// `nil` where the delta does not fit: the packet has to start a new feedback.
    init?(deltaTicks: Int) {
        guard let delta = Int16(exactly: deltaTicks) else { return nil }
        self = .received(delta: delta)
    }

    var symbol: TransportWideSymbol {
        switch self {
        case .notReceived: .notReceived
        case .received(let delta): (0...255).contains(delta) ? .smallDelta : .largeDelta
        }
    }
}
