/// What clients have to know to reach one shard.
public struct ShardEndpoint: Sendable, Hashable {
    /// Where clients reach the shard, preferred first.
    public var addresses: [CandidateAddress]

    /// An endpoint.
    public init(addresses: [CandidateAddress]) { self.addresses = addresses }
}
