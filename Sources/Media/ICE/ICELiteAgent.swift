/// The server's side of ICE for one transport: answers connectivity checks and decides which tuple carries the media
/// (RFC 8445 §2.5, §7.3, §8.1.2; consent as RFC 7675 from the answering side).
///
///     new ──check──> connected ──nominating check──> completed
///      └──────────nominating check─────────────────────↑
///     connected, completed ──not heard for the consent timeout──> disconnected ──check──> as from new
///     any ──close()──> closed
///
/// A client is heard by valid checks and by authenticated media, on each tuple for itself. It may lose every tuple (to
/// other transports, or with their connections) without being disconnected before its time is over.
///
/// Feed it every binding request, media fact and deadline; poll `pollEvent()` until `nil` after each: then nothing new
/// comes until the next input or `nextDeadline`.
struct ICELiteAgent {
    /// mediasoup's bounds for the time without a sign of life after which a client counts as gone.
    static let consentTimeoutRange = MediaDuration.seconds(10)...MediaDuration.seconds(60)
    /// A deadline that is put off is a multiple of this on the clock, so that a shard wakes up once for those of many
    /// transports.
    static let consentGrid = MediaDuration.milliseconds(100)
    /// A selected tuple gives way to one that is heard after two of its own check intervals of silence, within these
    /// bounds. Clients check every 2 to 5 s, and a receiver's RTCP comes every second or so; where only the checks of two
    /// live paths come, and seldom, either path will do.
    static let silenceRange = MediaDuration.seconds(3)...MediaDuration.seconds(5)
    /// The same for one on which nothing has come since ICE was restarted: mostly it is why.
    static let silenceAfterRestart = MediaDuration.milliseconds(250)

    /// What may happen while at least one tuple is stored.
    struct Live {
        /// Never empty. When the client was last heard on the selected one, `selection` says.
        var tuples: TupleList
        var isNominated: Bool
        /// The greatest NOMINATION accepted.
        var nomination: UInt32?
        /// When the consent is looked at; each look puts it off as far as the client was heard since.
        var consentDeadline: MediaInstant?
    }

    enum State {
        case new
        case live(Live)
        /// Without a tuple, until the client is heard from some address or its time is over.
        case pathless(isNominated: Bool, until: MediaInstant)
        case disconnected
        case closed
    }

    /// The tuple to send on, and when the client was last heard there.
    struct Selection {
        let tuple: TupleID
        var heard: MediaInstant
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
    /// There is one while `machine` is live; apart from it, because every packet reads and writes this.
    private var selection: Selection?
    private(set) var current: LocalCredentials
    /// The credentials from before a restart, until a client uses the new ones.
    private(set) var previous: LocalCredentials?
    private let consentTimeout: MediaDuration?
    /// Not in snapshots: it only makes a silence count sooner.
    private var restartedAt: MediaInstant?
    /// A tuple that was checked since, and when it replaces the selected one if nothing comes there. Not in snapshots.
    private var successor: (tuple: TupleID, due: MediaInstant)?
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
        case .pathless(let isNominated, _): isNominated ? .completed : .connected
        case .disconnected: .disconnected
        case .closed: .closed
        }
    }

    /// The tuple to send on.
    var selected: TupleID? { selection?.tuple }

    /// Stored tuples, newest first.
    var tuples: [TupleID] {
        if case .live(let live) = machine { (0..<live.tuples.count).map { live.tuples[$0].id } } else { [] }
    }

    /// Whether media and DTLS are accepted from the tuple.
    func hasTuple(_ tuple: TupleID) -> Bool {
        if case .live(let live) = machine { live.tuples.firstIndex(of: tuple) != nil } else { false }
    }

    /// When `deadlineReached(_:)` is due.
    var nextDeadline: MediaInstant? {
        switch machine {
        case .live(let live): earliest(live.consentDeadline, successor?.due)
        case .pathless(_, let deadline): deadline
        case .new, .disconnected, .closed: nil
        }
    }

    /// What has changed, oldest first.
    mutating func pollEvent() -> ICEEvent? { events.isEmpty ? nil : events.removeFirst() }

    /// Takes new credentials; the ones before stay valid until the first check with the new ones. The client's time
    /// starts again: it was heard over signaling.
    mutating func restart(credentials: ICECredentials, at now: MediaInstant) {
        if case .closed = machine { return }
        if let previous { events.append(.usernameFragmentRetired(previous.usernameFragment)) }
        (restartedAt, successor) = (now, nil)
        previous = current
        current = LocalCredentials(credentials)
        switch machine {
        case .live(var live):
            live.nomination = nil
            live.consentDeadline = consentTimeout.map { now + $0 }
            machine = .live(live)
        case .pathless(let isNominated, _):
            machine = .pathless(isNominated: isNominated, until: now + pathlessTimeout)
        case .new, .disconnected, .closed: break
        }
    }

    /// A DTLS packet came in on the tuple: the client uses it, so it becomes the selected one, nominated or not.
    /// Nothing shows who sent it, so it is no sign of life.
    /// - Returns: whether the tuple is known; from an unknown one nothing must be accepted.
    mutating func handshakeReceived(on tuple: TupleID, at now: MediaInstant) -> Bool {
        if selected == tuple { return true }
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple) else { return false }
        if !yields(tuple, in: live, at: now) { select(index, in: &live) }
        machine = .live(live)
        return true
    }

    /// An RTP packet that decrypted came in on the tuple: the client is there and uses it, so it becomes the selected
    /// one, nominated or not.
    /// - Returns: whether there may be events.
    @inline(__always)
    mutating func mediaReceived(on tuple: TupleID, at now: MediaInstant) -> Bool {
        // Nearly every packet comes on the selected tuple.
        if selected == tuple {
            selection?.heard = now
            return false
        }
        return mediaReceivedElsewhere(on: tuple, at: now)
    }

    private mutating func mediaReceivedElsewhere(on tuple: TupleID, at now: MediaInstant) -> Bool {
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple) else { return false }
        live.tuples[index].heard = now
        let isFollowed = !yields(tuple, in: live, at: now)
        if isFollowed { select(index, in: &live) }
        machine = .live(live)
        return isFollowed
    }

    /// An RTCP packet that decrypted came in on the tuple: the client is there. A receiver whose selected tuple has
    /// fallen silent receives on this one from now on.
    /// - Returns: whether there may be events.
    mutating func feedbackReceived(on tuple: TupleID, at now: MediaInstant) -> Bool {
        if selected == tuple {
            selection?.heard = now
            return false
        }
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple) else { return false }
        live.tuples[index].heard = now
        let isSilent = isSelectionSilent(in: live, at: now)
        if isSilent { follow(index, in: &live) }
        machine = .live(live)
        return isSilent
    }

    /// The tuple's connection is gone, or its address belongs to another transport.
    mutating func tupleRemoved(_ tuple: TupleID, at now: MediaInstant) {
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple) else { return }
        let heard = newestHeard(in: live, at: now)
        live.tuples.remove(at: index)
        if live.tuples.count == 0 {
            // After the loss of a path, too, a client has its time to be heard from elsewhere.
            machine = .pathless(isNominated: live.isNominated, until: max(heard + pathlessTimeout, now))
            selection = nil
            events.append(.selectedTupleChanged(nil))
            return
        }
        if selected == tuple { select(live.tuples.newestHeardIndex, in: &live) }
        machine = .live(live)
    }

    /// Time has reached `nextDeadline`: consent is over if the client was not heard in between.
    mutating func deadlineReached(_ now: MediaInstant) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        if let successor, successor.due <= now { succeed(successor.tuple, at: now) }
        guard let deadline = nextDeadline, deadline <= now else { return }
        if case .live(var live) = machine, let timeout = consentTimeout {
            let end = newestHeard(in: live, at: now) + timeout
            if end > now {
                live.consentDeadline = end.roundedUp(to: Self.consentGrid)
                machine = .live(live)
                return
            }
        }
        end(.disconnected, announcing: .disconnected)
    }

    /// Ends the agent; it answers nothing afterwards.
    mutating func close() {
        if case .closed = machine { return }
        end(.closed, announcing: .closed)
    }

    /// How long a client without a tuple is waited for.
    private var pathlessTimeout: MediaDuration { consentTimeout ?? .seconds(30) }

    private mutating func end(_ state: State, announcing announced: ICEState) {
        for tuple in tuples { events.append(.tupleDropped(tuple)) }
        machine = state
        if selection != nil { events.append(.selectedTupleChanged(nil)) }
        selection = nil
        events.append(.stateChanged(announced))
    }

    private func newestHeard(in live: Live, at now: MediaInstant) -> MediaInstant {
        max(live.tuples[live.tuples.newestHeardIndex].heard, selection?.heard ?? now)
    }

    private func isSelectionSilent(in live: Live, at now: MediaInstant) -> Bool {
        guard let selection else { return false }
        if isUnheardSinceRestart { return now - selection.heard >= Self.silenceAfterRestart }
        let interval = live.tuples.firstIndex(of: selection.tuple).map { live.tuples[$0].checkInterval } ?? .zero
        let silence = min(max(interval * 2, Self.silenceRange.lowerBound), Self.silenceRange.upperBound)
        return now - selection.heard >= silence
    }

    /// Whether a tuple gives way to the selected one although media came on it. What a TCP connection was given before its
    /// client went over to UDP comes after what it sends by UDP: the client's nomination decides then, or UDP's silence.
    private func yields(_ tuple: TupleID, in live: Live, at now: MediaInstant) -> Bool {
        guard let selection, tuple.isTCP, !selection.tuple.isTCP else { return false }
        return now - selection.heard < Self.silenceRange.upperBound
    }

    private var isUnheardSinceRestart: Bool {
        guard let restartedAt, let selection else { return false }
        return selection.heard < restartedAt
    }

    /// Selects a tuple that was checked after a restart, unless the client was heard meanwhile where it was before.
    private mutating func succeed(_ tuple: TupleID, at now: MediaInstant) {
        successor = nil
        guard case .live(var live) = machine, let index = live.tuples.firstIndex(of: tuple),
            isSelectionSilent(in: live, at: now)
        else { return }
        follow(index, in: &live)
        machine = .live(live)
    }

    /// Selects a tuple in place of a silent one, on which the client may have missed what was sent.
    private mutating func follow(_ index: Int, in live: inout Live) {
        select(index, in: &live)
        events.append(.pathRecovered)
    }

    private mutating func select(_ index: Int, in live: inout Live) {
        let tuple = live.tuples[index]
        guard let selection, selection.tuple != tuple.id else { return }
        if let old = live.tuples.firstIndex(of: selection.tuple) { live.tuples[old].heard = selection.heard }
        self.selection = Selection(tuple: tuple.id, heard: tuple.heard)
        events.append(.selectedTupleChanged(tuple.id))
    }
}

extension ICELiteAgent {
    /// A check with valid credentials was answered (RFC 8445 §7.3.1).
    mutating func checkAccepted(on tuple: TupleID, nominates: Bool, nomination: UInt32?, at now: MediaInstant) {
        let before = state
        switch machine {
        case .closed: return
        case .new, .disconnected: begin(on: tuple, isNominated: nominates || nomination != nil, nomination, at: now)
        case .pathless(let isNominated, _):
            begin(on: tuple, isNominated: isNominated || nominates || nomination != nil, nomination, at: now)
        case .live(var live):
            var isChosen = nominates
            if let nomination {
                // Renomination: only a value greater than the last one is accepted.
                isChosen = live.nomination.map { nomination > $0 } ?? true
                if isChosen { live.nomination = nomination }
            }
            // A client that does not nominate again after its address changed (RFC 8445 §8.1.1) is followed all the same.
            let isFollowed = tuple != selected && isSelectionSilent(in: live, at: now)
            let index = checked(tuple, in: &live, at: now)
            if isChosen { live.isNominated = true }
            if isFollowed {
                follow(index, in: &live)
            } else if isChosen {
                select(index, in: &live)
            } else if tuple != selected, successor == nil, let selection, isUnheardSinceRestart {
                // Clients check a path that works every few seconds: the next check may come late.
                successor = (tuple, selection.heard + Self.silenceAfterRestart)
            }
            machine = .live(live)
        }
        if state != before { events.append(.stateChanged(state)) }
    }

    private mutating func begin(on tuple: TupleID, isNominated: Bool, _ nomination: UInt32?, at now: MediaInstant) {
        machine = .live(
            Live(
                tuples: TupleList(CheckedTuple(tuple, checkedAt: now)), isNominated: isNominated,
                nomination: nomination, consentDeadline: consentTimeout.map { now + $0 }))
        selection = Selection(tuple: tuple, heard: now)
        events.append(.selectedTupleChanged(tuple))
    }

    /// The new credentials are in use: the old ones are over.
    mutating func currentCredentialsUsed() {
        guard let previous else { return }
        self.previous = nil
        events.append(.usernameFragmentRetired(previous.usernameFragment))
    }

    /// Takes note of a check. A tuple that is not stored comes first; over the limit another is dropped.
    /// - Returns: the tuple's index.
    private mutating func checked(_ tuple: TupleID, in live: inout Live, at now: MediaInstant) -> Int {
        if let index = live.tuples.firstIndex(of: tuple) {
            live.tuples[index].checked(at: now)
            if tuple == selected { selection?.heard = now }
            return index
        }
        if let dropped = live.tuples.insertFirst(CheckedTuple(tuple, checkedAt: now), keeping: selected) {
            events.append(.tupleDropped(dropped))
        }
        return 0
    }
}

// MARK: Snapshot

/// Written down when every event has been polled.
extension ICELiteAgent: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        current = try reader.read()
        previous = try reader.readOptional()
        consentTimeout = try reader.readOptional(in: Self.consentTimeoutRange)
        machine = try reader.read()
        guard case .live(let live) = machine else { return }
        let index = try reader.readCount(atMost: live.tuples.count - 1)
        selection = Selection(tuple: live.tuples[index].id, heard: try reader.read())
    }

    func write(to writer: inout SnapshotWriter) {
        assert(events.isEmpty)
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(current)
        writer.writeOptional(previous)
        writer.writeOptional(consentTimeout)
        writer.write(machine)
        guard case .live(let live) = machine, let selection else { return }
        // The selected tuple is one of the list.
        writer.writeCount(live.tuples.firstIndex(of: selection.tuple) ?? 0)
        writer.write(selection.heard)
    }
}
