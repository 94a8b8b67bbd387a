import Synchronization

/// The sessions by their URLs.
final class SDPSessionTable: Sendable {
    /// What a session's path holds. The identifier is the only secret that lets one change or end it.
    struct Key: Sendable, Hashable {
        var endpoint: String
        var room: String
        var id: String
    }

    /// How long a session that has ended is remembered: a client whose connection closed first deletes it all the same.
    static let memory = Duration.seconds(60)
    /// Sessions that ended, oldest first; beyond this many the oldest are forgotten.
    static let rememberedEnds = 4096

    private struct Sessions {
        var open: [Key: SDPSession] = [:]
        var ended: [(key: Key, at: ContinuousClock.Instant)] = []
    }

    private let sessions = Mutex(Sessions())

    subscript(key: Key) -> SDPSession? { sessions.withLock { $0.open[key] } }
    var count: Int { sessions.withLock { $0.open.count } }

    /// Makes a session with a new identifier of 128 random bits.
    func make(endpoint: String, room: String, clientFragment: String, lease: HoldingLease, servers: ICEServers? = nil)
        -> SDPSession
    {
        let id = Self.hexadecimal(.random(in: 0 ... .max)) + Self.hexadecimal(.random(in: 0 ... .max))
        let key = Key(endpoint: endpoint, room: room, id: id)
        return sessions.withLock { sessions in
            // Publishers are few, and are shown; of viewers there may be thousands, whom nobody sees.
            let number = endpoint == "whip" ? Self.freeNumber(sessions.open, room: room) : 1
            let session = SDPSession(
                key: key, number: number, clientFragment: clientFragment, lease: lease, servers: servers
            ) { [weak self] in self?.remove(key) }
            sessions.open[key] = session
            return session
        }
    }

    func remove(_ key: Key, at now: ContinuousClock.Instant = .now) {
        sessions.withLock { sessions in
            guard sessions.open.removeValue(forKey: key) != nil else { return }
            sessions.ended.append((key, now))
            while let first = sessions.ended.first,
                sessions.ended.count > Self.rememberedEnds || now - first.at > Self.memory
            { sessions.ended.removeFirst() }
        }
    }

    /// Whether there was such a session a moment ago.
    func hasEnded(_ key: Key, at now: ContinuousClock.Instant = .now) -> Bool {
        sessions.withLock { $0.ended.contains { $0.key == key && now - $0.at <= Self.memory } }
    }

    /// The lowest number that no open publisher of the room has.
    private static func freeNumber(_ open: [Key: SDPSession], room: String) -> Int {
        let taken = Set(open.values.lazy.filter { $0.key.endpoint == "whip" && $0.key.room == room }.map(\.number))
        return taken.contains(1) ? (2...).first { !taken.contains($0) } ?? 1 : 1
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
