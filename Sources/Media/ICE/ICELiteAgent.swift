/// The server's side of ICE for one transport: answers connectivity checks and decides which tuple carries the media
/// (RFC 8445 §2.5, §7.3, §8.1.2; consent as RFC 7675 from the answering side).
///
///     new ──check──> connected ──nominating check──> completed
///      └──────────nominating check─────────────────────↑
///     connected, completed ──last tuple gone or consent expired──> disconnected ──check──> as from new
///     any ──close()──> closed
///
/// Feed it every binding request, media fact and deadline; poll `pollEvent()` until `nil` after each: then nothing new
/// comes until the next input or `nextDeadline`.
struct ICELiteAgent {
    /// mediasoup's bounds for the time without a check after which a client counts as gone.
    static let consentTimeoutRange = MediaDuration.seconds(10)...MediaDuration.seconds(60)

    /// What may happen while at least one tuple is stored.
    struct Live {
        /// Never empty.
        var tuples: TupleList
        var selected: TupleID
        var isNominated: Bool
        /// The greatest NOMINATION accepted.
        var nomination: UInt32?
        var consentDeadline: MediaInstant?
    }

    enum State {
        case new
        case live(Live)
        case disconnected
        case closed
    }

    /// Credentials with the integrity key made from them.
    struct LocalCredentials {
        let usernameFragment: String
        let key: HMACSHA1Key

        init(_ credentials: ICECredentials) {
            usernameFragment = credentials.usernameFragment
            key = HMACSHA1Key(password: credentials.password)
        }
    }

    private(set) var machine = State.new
    private(set) var current: LocalCredentials
    /// The credentials from before a restart, until a client uses the new ones.
    private(set) var previous: LocalCredentials?
    private let consentTimeout: MediaDuration?
    private var events: [ICEEvent] = []

    /// - Parameter consentTimeout: brought into 10…60 s; zero or less disables the check.
    init(credentials: ICECredentials, consentTimeout: MediaDuration) {
        current = LocalCredentials(credentials)
        let range = Self.consentTimeoutRange
        self.consentTimeout =
            consentTimeout > .zero ? min(max(consentTimeout, range.lowerBound), range.upperBound) : nil
    }

    var state: ICEState {
        switch machine {
        case .new: .new
        case .live(let live): live.isNominated ? .completed : .connected
        case .disconnected: .disconnected
        case .closed: .closed
        }
    }

    /// The tuple to send on.
    var selected: TupleID? {
        if case .live(let live) = machine { live.selected } else { nil }
    }

    /// Stored tuples, newest first.
    var tuples: [TupleID] {
        if case .live(let live) = machine { (0..<live.tuples.count).map { live.tuples[$0] } } else { [] }
    }

    /// Whether media and DTLS are accepted from the tuple.
    func hasTuple(_ tuple: TupleID) -> Bool {
        if case .live(let live) = machine { live.tuples.firstIndex(of: tuple) != nil } else { false }
    }

    /// When `deadlineReached(_:)` is due.
    var nextDeadline: MediaInstant? {
        if case .live(let live) = machine { live.consentDeadline } else { nil }
    }

    /// What has changed, oldest first.
    mutating func pollEvent() -> ICEEvent? { events.isEmpty ? nil : events.removeFirst() }

    /// Takes new credentials; the ones before stay valid until the first check with the new ones.
    mutating func restart(credentials: ICECredentials, at now: MediaInstant) {
        if case .closed = machine { return }
        if let previous { events.append(.usernameFragmentRetired(previous.usernameFragment)) }
        previous = current
        current = LocalCredentials(credentials)
        guard case .live(var live) = machine else { return }
        live.nomination = nil
        live.consentDeadline = consentTimeout.map { now + $0 }
        machine = .live(live)
    }

    /// A DTLS packet, or an RTP packet that decrypted, came in on the tuple: the client uses it, so it becomes the
    /// selected one, nominated or not. RTCP does not count.
    /// - Returns: whether the tuple is known; from an unknown one nothing must be accepted.
    @discardableResult
    mutating func mediaReceived(on tuple: TupleID) -> Bool {
        // Every packet asks this; nearly all come on the selected tuple.
        if selected == tuple { return true }
        guard case .live(var live) = machine else { return false }
        guard live.tuples.firstIndex(of: tuple) != nil else { return false }
        select(tuple, in: &live)
        machine = .live(live)
        return true
    }

    /// The tuple's connection is gone.
    mutating func tupleRemoved(_ tuple: TupleID) {
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple) else { return }
        live.tuples.remove(at: index)
        guard let first = live.tuples.first else { return disconnect() }
        if live.selected == tuple { select(first, in: &live) }
        machine = .live(live)
    }

    /// Time has reached `nextDeadline`: consent is over when no check came in between.
    mutating func deadlineReached(_ now: MediaInstant) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        dropTuples()
        disconnect()
    }

    /// Ends the agent; it answers nothing afterwards.
    mutating func close() {
        if case .closed = machine { return }
        dropTuples()
        if selected != nil { events.append(.selectedTupleChanged(nil)) }
        machine = .closed
        events.append(.stateChanged(.closed))
    }

    private mutating func dropTuples() {
        for tuple in tuples { events.append(.tupleDropped(tuple)) }
    }

    private mutating func disconnect() {
        machine = .disconnected
        events.append(.selectedTupleChanged(nil))
        events.append(.stateChanged(.disconnected))
    }

    private mutating func select(_ tuple: TupleID, in live: inout Live) {
        guard live.selected != tuple else { return }
        live.selected = tuple
        events.append(.selectedTupleChanged(tuple))
    }
}

extension ICELiteAgent {
    /// A check with valid credentials was answered (RFC 8445 §7.3.1).
    mutating func checkAccepted(on tuple: TupleID, nominates: Bool, nomination: UInt32?, at now: MediaInstant) {
        let before = state
        let deadline = consentTimeout.map { now + $0 }
        switch machine {
        case .closed: return
        case .new, .disconnected:
            let isNominated = nominates || nomination != nil
            machine = .live(
                Live(
                    tuples: TupleList(tuple), selected: tuple, isNominated: isNominated, nomination: nomination,
                    consentDeadline: deadline))
            events.append(.selectedTupleChanged(tuple))
        case .live(var live):
            live.consentDeadline = deadline
            var select = nominates
            if let nomination {
                // Renomination: only a greater number than the last is heard.
                select = live.nomination.map { nomination > $0 } ?? true
                if select { live.nomination = nomination }
            }
            store(tuple, in: &live)
            if select {
                live.isNominated = true
                self.select(tuple, in: &live)
            }
            machine = .live(live)
        }
        if state != before { events.append(.stateChanged(state)) }
    }

    /// The new credentials are in use: the old ones are over.
    mutating func currentCredentialsUsed() {
        guard let previous else { return }
        self.previous = nil
        events.append(.usernameFragmentRetired(previous.usernameFragment))
    }

    /// Puts a tuple first, unless it is stored; over the limit the oldest that is not selected is dropped.
    private mutating func store(_ tuple: TupleID, in live: inout Live) {
        guard live.tuples.firstIndex(of: tuple) == nil else { return }
        if let dropped = live.tuples.insertFirst(tuple, keeping: live.selected) {
            events.append(.tupleDropped(dropped))
        }
    }
}

/// What has changed in an `ICELiteAgent`.
enum ICEEvent: Equatable, Sendable {
    case stateChanged(ICEState)
    case selectedTupleChanged(TupleID?)
    /// The shard must forget the tuple, and close its connection if it has one.
    case tupleDropped(TupleID)
    /// The username fragment from before a restart no longer leads to this transport.
    case usernameFragmentRetired(String)
}
