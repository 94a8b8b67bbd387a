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

    init(hosts: [String], peers: @escaping @Sendable () -> RelayPeers, opener: @escaping Opener) {
        self.hosts = hosts
        currentPeers = peers
        self.opener = opener
    }

    /// The addresses at which media is received now.
    package var peers: RelayPeers { currentPeers() }

    /// Makes a way from a client to one of a shard's addresses. The shard learns of it with the first packet.
    /// - Parameters:
    ///   - relayed: the address of the client's allocation.
    ///   - wake: called on the shard's thread when something waits for the client, or the way is over.
    package func open(
        shard: Int, peer: IPAddressPort, relayed: IPAddressPort, client: IPAddressPort, kind: RelayKind,
        wake: @escaping @Sendable () -> Void
    ) -> RelayPath { opener(shard, peer, relayed, client, kind, wake) }
}
