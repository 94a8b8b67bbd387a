/// Where an association is between its beginning and its end (RFC 9260 §4).
///
///     closed ──connect──> cookieWait ──INIT ACK──> cookieEchoed ──COOKIE ACK──> established
///     closed, cookieWait, cookieEchoed ──valid COOKIE ECHO──> established
///     established ──shutDown()──> shutdownPending ──all acked──> shutdownSent ──SHUTDOWN ACK──> closed
///     established ──SHUTDOWN──> shutdownReceived ──all acked──> shutdownAckSent ──SHUTDOWN COMPLETE──> closed
///     any ──ABORT──> closed
enum SCTPState: UInt8, Sendable {
    case closed = 1
    case cookieWait, cookieEchoed, established, shutdownPending, shutdownSent, shutdownReceived, shutdownAckSent

    /// Whether both sides know each other.
    var isSynchronized: Bool { rawValue >= SCTPState.established.rawValue }
    /// Whether the application's messages are taken.
    var takesMessages: Bool { rawValue <= SCTPState.established.rawValue }
    /// Whether chunks of data are sent.
    var sendsData: Bool { self == .established || self == .shutdownPending || self == .shutdownReceived }
    /// Whether the peer may still send data.
    var receivesData: Bool { self == .established || self == .shutdownPending || self == .shutdownSent }
}

extension SCTPState: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let state = SCTPState(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = state
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
