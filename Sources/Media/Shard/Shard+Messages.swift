extension Shard {
    /// Gives a message to another shard; what its ring has no place for is counted.
    /// - Returns: whether it was taken.
    @discardableResult
    func send(_ message: ShardMessage, to shard: Int) -> Bool {
        guard links.send(message, to: shard) else {
            counters.add(.ringFull)
            return false
        }
        return true
    }

    /// Gives a message to each shard of a bit set.
    /// - Returns: how many took it.
    @discardableResult
    func send(_ message: ShardMessage, toEach shards: UInt64) -> Int {
        var rest = shards
        var taken = 0
        while rest != 0 {
            if send(message, to: rest.trailingZeroBitCount) { taken += 1 }
            rest &= rest - 1
        }
        return taken
    }

    /// Takes what the other shards sent.
    mutating func drainRings() {
        drainInbox()
        drainRelays()
        for other in 0..<links.count where other != index {
            // Bounded, so that a busy neighbor cannot keep this shard from its own sockets.
            for _ in 0..<1024 {
                guard let bytes = unsafe links.peek(from: other) else { break }
                if let message = unsafe ShardMessage(decoding: bytes) {
                    received(message, from: other)
                } else {
                    assertionFailure("a message between shards that is none")
                }
                links.advance(from: other)
            }
        }
    }

    private mutating func received(_ message: ShardMessage, from shard: Int) {
        switch message {
        case .packet(let packet, let template, let payload):
            unsafe forward(packet, template: template, payload: payload)
        case .cachedPacket(let packet, let template, let payload, let age):
            unsafe cachedPacketReceived(packet, template: template, payload: payload, age: age)
        case .cachedPacketsEnd(let producer, let complete): cachedPacketsEnded(producer, complete: complete)
        case .keyFrameRequest(let producer, let encoding, let need, let isRenewal):
            keyFrameRequested(producer: producer, encoding: encoding, for: need, isRenewal: isRenewal)
        case .encodingAdvanced(let producer, let encoding, let state):
            encodingAdvanced(producer, encoding: encoding, to: state)
        case .encodingRestarted(let producer, let encoding): encodingRestarted(producer, encoding: encoding)
        case .consumerLoss(let producer, let fraction): producerLossReported(producer, fraction: fraction)
        case .datagram(let bytes, let remote, let local): unsafe handedOn(bytes, from: remote, to: local, by: shard)
        case .tupleClaimed(let remote, let local, let owner):
            tupleClaimed(from: remote, to: local, for: TransportKey(rawValue: owner), by: shard)
        }
    }
}
