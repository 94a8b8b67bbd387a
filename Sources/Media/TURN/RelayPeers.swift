/// What may be reached through the TURN server: this server's own media addresses for UDP, and nothing else.
package struct RelayPeers: Sendable {
    private var shards: [IPAddressPort: Int] = [:]
    /// With port 0.
    private var addresses: Set<IPAddressPort> = []
    /// With port 0, those that clients get before those that are only bound.
    private var inOrder: [IPAddressPort] = []

    package init() {}

    /// - Parameters:
    ///   - endpoints: what clients get, by shards. A name without an address yet is none.
    ///   - bound: the shards' own addresses.
    init(_ endpoints: [ShardEndpoint], bound: [[IPAddressPort]]) {
        for (shard, endpoint) in endpoints.enumerated() {
            for candidate in endpoint.addresses where candidate.transport == .udp {
                guard let address = IPAddressPort(text: candidate.address, port: candidate.port) else { continue }
                insert(address, shard: shard)
            }
        }
        for (shard, addresses) in bound.enumerated() { for address in addresses { insert(address, shard: shard) } }
    }

    /// Adds an address of a shard; one that names no host is none.
    mutating func insert(_ address: IPAddressPort, shard: Int) {
        guard !address.isUnspecified, !address.isMulticast, address.port > 0 else { return }
        if shards[address] == nil { shards[address] = shard }
        let host = address.withPort(0)
        if addresses.insert(host).inserted { inOrder.append(host) }
    }

    /// Whether media is received at an address, whatever the port.
    func includes(addressOf peer: IPAddressPort) -> Bool { addresses.contains(peer.withPort(0)) }

    /// Whose media is received there.
    func shard(at peer: IPAddressPort) -> Int? { shards[peer] }

    /// The address that allocations are said to have.
    func relayedAddress(_ family: IPAddressPort.Family) -> IPAddressPort? { inOrder.first { $0.family == family } }

    func isMediaPort(_ port: UInt16) -> Bool { shards.keys.contains { $0.port == port } }
}
