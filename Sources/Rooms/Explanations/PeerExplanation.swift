import FoundationEssentials

/// Why a peer is sent what it is sent: what its network carries, and for each picture why it has its size.
public struct PeerExplanation: Sendable, JSONRepresentable {
    /// Its room.
    public var room: RoomID
    /// Which peer, and how it is called.
    public var peer: PeerDescription
    /// The moment that is explained, in milliseconds since 1970.
    public var time: Int64
    /// Whether the media threads said all in time.
    public var isComplete: Bool
    /// The transports by which it receives.
    public var transports: [TransportExplanation]

    /// Rates in bits per second, times in milliseconds, losses as shares (0…1).
    public var json: JSONValue {
        .object([
            "roomId": .string(room.rawValue), "peerId": .string(peer.id.rawValue),
            "displayName": .string(peer.displayName), "time": .integer(time), "complete": .bool(isComplete),
            "transports": .array(transports.map(\.json)),
        ])
    }

    /// The same in sentences, for people.
    public var text: String {
        let date = Date(timeIntervalSince1970: Double(time) / 1000).formatted(.iso8601)
        var lines = ["What \(peer.displayName) (\(peer.id)) in the room \(room) is sent, and why, at \(date)"]
        if transports.isEmpty { lines += ["", "Nothing is sent to it: it has no transport that receives."] }
        for transport in transports { lines += [""] + transport.lines }
        return lines.map { String($0.map { $0.isNewline ? " " : $0 }) }.joined(separator: "\n") + "\n"
    }
}
