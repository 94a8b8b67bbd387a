import Synchronization

/// The sessions by their URLs.
final class SDPSessionTable: Sendable {
    /// What a session's path holds. The identifier is the only secret that lets one change or end it.
    struct Key: Sendable, Hashable {
        var endpoint: String
        var room: String
        var id: String
    }

    private let sessions = Mutex<[Key: SDPSession]>([:])

    subscript(key: Key) -> SDPSession? { sessions.withLock { $0[key] } }
    var count: Int { sessions.withLock { $0.count } }

    /// Makes a session with a new identifier of 128 random bits.
    func make(endpoint: String, room: String, clientFragment: String, lease: HoldingLease) -> SDPSession {
        let id = Self.hexadecimal(.random(in: 0 ... .max)) + Self.hexadecimal(.random(in: 0 ... .max))
        let key = Key(endpoint: endpoint, room: room, id: id)
        let session = SDPSession(key: key, clientFragment: clientFragment, lease: lease) { [weak self] in
            self?.remove(key)
        }
        sessions.withLock { $0[key] = session }
        return session
    }

    func remove(_ key: Key) { sessions.withLock { $0[key] = nil } }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
