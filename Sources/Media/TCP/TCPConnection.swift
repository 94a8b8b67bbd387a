/// A client's TCP connection, as its shard sees it: what has come of the next packet, and what waits to be sent.
struct TCPConnection: ~Copyable {
    let remote: IPAddressPort
    /// Whom it counts for, as long as it waits: behind a TURN server, the client itself.
    let origin: IPAddressPort
    /// The server's side of it.
    let local: IPAddressPort
    /// Until when a first valid check has to come; `nil` once it did.
    var waitsUntil: MediaInstant?
    var reader = TCPFrameReader()
    var queue = TCPSendQueue()
    var drain = TCPDrain()
    /// What it carries, in bits per second, until its transport's estimate knows.
    var drained: UInt64?
    /// Whether it took less than it was given last, and has not said since that it takes more.
    var isBlocked = false
    /// Whether it is in the list of those that have something to send.
    var isListed = false
    /// Whether the system will take nothing of it any more.
    var isBroken = false
    /// The way to a client of the TURN server, which there is no socket for.
    var relay: RelayPath?

    init(remote: IPAddressPort, local: IPAddressPort, origin: IPAddressPort, waitsUntil: MediaInstant) {
        self.remote = remote
        self.origin = origin
        self.local = local
        self.waitsUntil = waitsUntil
    }
}
