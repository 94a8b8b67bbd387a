/// What clients have to know to reach one shard.
public struct ShardEndpoint: Sendable, Hashable {
    /// Where clients reach the shard, preferred first.
    public var addresses: [CandidateAddress]

    /// An endpoint.
    public init(addresses: [CandidateAddress]) { self.addresses = addresses }

    /// Protocols and ports of several, for people: `TCP 44444, UDP 44444`.
    public static func ways(to endpoints: [ShardEndpoint]) -> String {
        let ports = endpoints.flatMap(\.addresses).map { "\($0.transport.rawValue.uppercased()) \($0.port)" }
        return Set(ports).sorted().joined(separator: ", ")
    }
}
