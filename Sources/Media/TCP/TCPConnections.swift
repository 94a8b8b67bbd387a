/// A shard's TCP connections. Of a shard without any it is empty. Not in snapshots: connections end with their process, and
/// their clients have the time of their consent to come by others.
struct TCPConnections: ~Copyable {
    /// The most at a time. A connection has a number as sockets have, behind all of theirs.
    static let capacity = 16_384
    static let firstNumber = 1 << 15

    /// A connection that was opened lately, and when its time for a valid check is over.
    private struct Waiting {
        var connection: Slot<TCPConnection>
        var until: MediaInstant
    }

    var all = SlotMap<TCPConnection>()
    private var admission = TCPAdmission()
    /// Oldest first: each has the same time.
    private var waiting: [Waiting] = []
    private var oldestWaiting = 0
    /// Those that have something to send.
    var unsent: [Slot<TCPConnection>] = []
    /// Those that are broken, or have something to say of what they carry.
    var noted: [Slot<TCPConnection>] = []

    init() {}

    /// - Parameter number: of a connection, or of any other socket.
    @inline(__always)
    static func isConnection(_ number: Int) -> Bool { number >= firstNumber }

    static func number(of connection: Slot<TCPConnection>) -> Int { Int(connection.index) + firstNumber }

    /// `nil` where there is none any more.
    func connection(_ number: Int) -> Slot<TCPConnection>? { all.slot(at: number - Self.firstNumber) }

    /// A client has connected.
    /// - Parameter origin: where it is, if not at `remote`.
    /// - Returns: the connection's number; `nil` if it is to be closed at once.
    mutating func insert(
        _ remote: IPAddressPort, local: IPAddressPort, origin: IPAddressPort? = nil, at now: MediaInstant
    ) -> Int? {
        let origin = origin ?? remote
        guard all.count < Self.capacity, admission.connected(origin, at: now) else { return nil }
        let until = now + TCPAdmission.patience
        let connection = all.insert(TCPConnection(remote: remote, local: local, origin: origin, waitsUntil: until))
        waiting.append(Waiting(connection: connection, until: until))
        return Self.number(of: connection)
    }

    /// A valid check has come on a connection.
    mutating func checked(_ connection: Slot<TCPConnection>) {
        guard all[connection].waitsUntil != nil else { return }
        all[connection].waitsUntil = nil
        admission.ended(all[connection].origin)
    }

    mutating func remove(_ connection: Slot<TCPConnection>) {
        if all[connection].waitsUntil != nil { admission.ended(all[connection].origin) }
        all.remove(connection)
    }

    /// Puts a connection on the list of those that have something to send.
    mutating func list(_ connection: Slot<TCPConnection>) {
        guard !all[connection].isListed else { return }
        all[connection].isListed = true
        unsent.append(connection)
    }

    /// When the time of some connection is over.
    var nextDeadline: MediaInstant? { oldestWaiting < waiting.count ? waiting[oldestWaiting].until : nil }

    /// A connection on which no valid check came in time; `nil` when there is none any more.
    mutating func popExpired(at now: MediaInstant) -> Slot<TCPConnection>? {
        while let deadline = nextDeadline, deadline <= now {
            let connection = waiting[oldestWaiting].connection
            oldestWaiting += 1
            if oldestWaiting * 2 > waiting.count {
                waiting.removeFirst(oldestWaiting)
                oldestWaiting = 0
            }
            if all.contains(connection), all[connection].waitsUntil != nil { return connection }
        }
        return nil
    }
}
