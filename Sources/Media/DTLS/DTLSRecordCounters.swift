/// Records that were dropped without an answer (RFC 6347 §4.1.2.7).
struct DTLSRecordCounters: Equatable {
    /// Cut off, or shorter than what protects a record.
    var malformed: UInt64 = 0
    /// Of another epoch or version, or of a type that does not exist: mostly the peer's first flights, come again.
    var foreign: UInt64 = 0
    /// Seen before, or too old to tell.
    var replayed: UInt64 = 0
    /// Not made with the peer's key, or changed on the way.
    var forged: UInt64 = 0
    /// From the peer, but with nothing in them that matters after a handshake: warnings, heartbeats.
    var ignored: UInt64 = 0
}
