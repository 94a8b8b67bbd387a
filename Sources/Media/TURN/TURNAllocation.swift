/// One client's allocation (RFC 8656 §5): a relayed address that nobody else can reach, and the peers that it may reach by it.
struct TURNAllocation {
    /// A channel to a port of one of the server's media addresses.
    struct Channel {
        var number: UInt16
        var peer: IPAddressPort
        /// `nil` for a port where no media is: what comes for it goes nowhere.
        var shard: Int?
        var until: MediaInstant
    }

    let username: String
    /// Of the credential it was made with: what comes later is authenticated by it, whatever the time.
    let key: HMACSHA1Key
    let relayed: IPAddressPort
    /// The request it was made by, which a client without an answer sends again.
    let transactionID: STUNTransactionID
    var until: MediaInstant
    private(set) var channels: [Channel] = []
    /// Addresses with port 0.
    private var permissions: [IPAddressPort: MediaInstant] = [:]

    init(
        username: String, key: HMACSHA1Key, relayed: IPAddressPort, transactionID: STUNTransactionID,
        until: MediaInstant
    ) {
        self.username = username
        self.key = key
        self.relayed = relayed
        self.transactionID = transactionID
        self.until = until
    }

    func permits(_ peer: IPAddressPort, at now: MediaInstant) -> Bool {
        permissions[peer.withPort(0)].map { $0 > now } ?? false
    }

    /// - Returns: whether there was room for all.
    mutating func permit(_ peers: [IPAddressPort], at now: MediaInstant) -> Bool {
        permissions = permissions.filter { $0.value > now }
        let hosts = Set(peers.map { $0.withPort(0) })
        guard hosts.union(permissions.keys).count <= TURNLimits.permissionsPerAllocation else { return false }
        for host in hosts { permissions[host] = now + TURNLimits.permissionLifetime }
        return true
    }

    /// What became of a channel that a client asked for.
    enum Binding { case bound, conflict, full }

    /// Binds a channel or puts off its end (RFC 8656 §12.2).
    mutating func bind(_ number: UInt16, to peer: IPAddressPort, shard: Int?, at now: MediaInstant) -> Binding {
        channels.removeAll { $0.until <= now }
        let until = now + TURNLimits.channelLifetime
        if let index = channels.firstIndex(where: { $0.number == number || $0.peer == peer }) {
            guard channels[index].number == number, channels[index].peer == peer else { return .conflict }
            guard permit([peer], at: now) else { return .full }
            channels[index].until = until
            return .bound
        }
        guard channels.count < TURNLimits.channelsPerAllocation, permit([peer], at: now) else { return .full }
        channels.append(Channel(number: number, peer: peer, shard: shard, until: until))
        return .bound
    }

    func channel(_ number: UInt16, at now: MediaInstant) -> Channel? {
        channels.first { $0.number == number && $0.until > now }
    }

    func channel(to peer: IPAddressPort, at now: MediaInstant) -> Channel? {
        channels.first { $0.peer == peer && $0.until > now }
    }
}
