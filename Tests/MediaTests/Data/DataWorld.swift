import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// One who sends data on stream 0, and an audience on as many shards as there are.
final class DataWorld {
    let world: VirtualWorld
    let sender: VirtualMember
    let audience: [VirtualMember]
    let producer: DataProducerKey
    let consumers: [DataConsumerKey]
    /// The stream of every consumer.
    static let stream: UInt16 = 3

    init(
        shards: Int = 1, audience count: Int, seed: UInt64 = 1, settings: DataTransportSettings = .init(),
        change: (inout DataConsumerSettings) -> Void = { _ in }
    ) throws {
        let world = try VirtualWorld(shards: shards, seed: seed)
        let sender = try world.join(data: settings)
        let audience = try (0..<count).map { _ in try world.join(data: settings) }
        try #require(world.connectAll())
        let producer = try world.server.handle.openDataProducer(DataProducerSettings(stream: 0), on: sender.transport)
        var consuming = DataConsumerSettings(stream: Self.stream)
        change(&consuming)
        consumers = try audience.map {
            try world.server.handle.openDataConsumer(consuming, of: producer, on: $0.transport)
        }
        self.world = world
        self.sender = sender
        self.audience = audience
        self.producer = producer
        sender.peer.connectData()
        try #require(
            world.run(atMost: .seconds(3)) {
                ([sender] + audience).allSatisfy { $0.sctpStates.last == .connected }
            })
    }

    /// Whether everybody has got so many messages.
    func hasArrived(_ count: Int) -> Bool { audience.allSatisfy { ($0.peer.data?.received.count ?? 0) >= count } }

    /// Bytes in the accounts of all shards.
    var accounted: Int {
        (0..<world.server.count).reduce(0) { sum, index in
            sum + world.server.withShard(index) { $0.data.account.bytes }
        }
    }
}
