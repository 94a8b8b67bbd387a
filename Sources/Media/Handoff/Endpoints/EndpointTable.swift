import Synchronization

/// What clients have to know to reach each shard now: it changes with the machine's addresses.
final class EndpointTable: Sendable {
    private let endpoints: Mutex<[ShardEndpoint]>

    init(_ endpoints: [ShardEndpoint]) { self.endpoints = Mutex(endpoints) }

    var current: [ShardEndpoint] { endpoints.withLock { $0 } }

    func replace(by new: [ShardEndpoint]) { endpoints.withLock { $0 = new } }
}
