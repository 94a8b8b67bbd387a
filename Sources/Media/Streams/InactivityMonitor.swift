/// Notices when an encoding of a simulcast producer falls silent and when it comes back.
///
///     unseen ──packet──▶ active ──no packet for the timeout──▶ inactive ──packet──▶ active
///     paused: no deadline; resumed: the timeout runs from then
///
/// Call `deadlineReached` at `nextDeadline`. Producers of one encoding have no use for it: their silence means nothing.
struct InactivityMonitor {
    static let timeout = MediaDuration.milliseconds(1500)
    /// With `usedtx=1` or a `dtx` encoding, silence is part of the stream.
    static let timeoutWithDTX = MediaDuration.milliseconds(5000)

    enum Change: Hashable, Sendable {
        /// The score becomes 10 again.
        case becameActive
        /// The score becomes 0.
        case becameInactive
    }

    fileprivate enum State {
        case unseen
        case active
        case inactive
    }

    private let timeout: MediaDuration
    private var state = State.unseen
    private var isPaused = false
    private var silentSince = MediaInstant(nanoseconds: 0)

    init(usesDTX: Bool = false) { timeout = usesDTX ? Self.timeoutWithDTX : Self.timeout }

    var isActive: Bool { state == .active }

    /// Not later than the end of the timeout; it moves with each packet, so that a timer may be set late.
    var nextDeadline: MediaInstant? { isActive && !isPaused ? silentSince + timeout : nil }

    mutating func packetReceived(at now: MediaInstant) -> Change? {
        silentSince = now
        if isActive { return nil }
        state = .active
        return .becameActive
    }

    mutating func deadlineReached(at now: MediaInstant) -> Change? {
        guard isActive, !isPaused, now - silentSince >= timeout else { return nil }
        state = .inactive
        return .becameInactive
    }

    mutating func paused() { isPaused = true }

    mutating func resumed(at now: MediaInstant) {
        isPaused = false
        silentSince = now
    }
}

// MARK: Snapshot

extension InactivityMonitor: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        timeout = try reader.read()
        state = try reader.read()
        isPaused = try reader.read()
        silentSince = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(timeout)
        writer.write(state)
        writer.write(isPaused)
        writer.write(silentSince)
    }
}

extension InactivityMonitor.State: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 0: self = .unseen
        case 1: self = .active
        case 2: self = .inactive
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .unseen: writer.writeUInt8(0)
        case .active: writer.writeUInt8(1)
        case .inactive: writer.writeUInt8(2)
        }
    }
}
