/// The TURN server's door to the media plane: where media is received, and ways to there.
package struct MediaRelay: Sendable {
    typealias Opener =
        @Sendable (
            _ shard: Int, _ peer: IPAddressPort, _ relayed: IPAddressPort, _ client: IPAddressPort, _ kind: RelayKind,
            _ wake: @escaping @Sendable () -> Void
        ) -> RelayPath

    /// The addresses that media is received at, without ports, as they are bound.
    package let hosts: [String]
    private let currentPeers: @Sendable () -> RelayPeers
    private let opener: Opener
    /// How many shards share a port; zero: none does.
    private let sharers: Int

    /// - Parameter sharers: how many shards share a port; zero: none does.
    init(hosts: [String], sharers: Int = 0, peers: @escaping @Sendable () -> RelayPeers, opener: @escaping Opener) {
        self.sharers = sharers
        self.hosts = hosts
        currentPeers = peers
        self.opener = opener
    }

    /// The addresses at which media is received now.
    package var peers: RelayPeers { currentPeers() }

    /// Makes a way from a client to one of a shard's addresses. The shard learns of it with the first packet.
    /// - Parameters:
    ///   - check: the client's first packet: where shards share a port, it names the one that it is for.
    ///   - relayed: the address of the client's allocation.
    ///   - wake: called on the shard's thread when something waits for the client, or the way is over.
    package func open(
        for check: [UInt8], shard: Int, peer: IPAddressPort, relayed: IPAddressPort, client: IPAddressPort,
        kind: RelayKind,
        wake: @escaping @Sendable () -> Void
    ) -> RelayPath {
        let named = ICECredentials.shard(namedBy: check)
        return opener(named.flatMap { $0 < sharers ? $0 : nil } ?? shard, peer, relayed, client, kind, wake)
    }
}
