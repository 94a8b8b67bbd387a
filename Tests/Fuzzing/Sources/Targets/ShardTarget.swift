@testable import RoundhouseMedia
@testable import TestSupport

/// A whole shard: datagrams and commands in any order, and what a successor makes of its snapshot.
enum ShardTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        // An error here is a fault of the target.
        do { try play(Script(bytes)) } catch is MediaError {} catch { preconditionFailure("\(error)") }
    }

    /// Plain transports, whose media nothing keeps from the shard, and one with ICE, whose checks do not come.
    private static func play(_ given: Script) throws {
        var script = given
        let world = try VirtualWorld()
        let handle = world.server.handle
        let clients = try (0..<2).map { _ in try PlainClient(in: world, usesRTCPMux: true) }
        let member = try world.join(connects: false)
        var tracks = [try clients[0].produce(.video, ssrc: SSRC(1)), try clients[0].produce(.audio, ssrc: SSRC(2))]
        var consumers: [ConsumerKey] = []
        func consume(_ index: Int) throws {
            let track = tracks[index % tracks.count]
            guard let producer = track.producer else { return }
            let settings = ClientCodecs.consumerSettings(
                of: ClientCodecs.producerSettings(of: track), ssrc: SSRC(UInt32(100 + consumers.count)),
                rtxSSRC: index & 8 == 0 ? nil : SSRC(UInt32(500 + consumers.count)), mid: "\(consumers.count)")
            consumers.append(try handle.openConsumer(settings, of: producer, on: clients[1].transport))
        }
        for client in clients { try client.connect() }
        try consume(0)
        try consume(1)
        world.run(for: .milliseconds(1))
        var number: UInt64 = 1
        while let step = script.next() {
            let which = Int(step >> 4)
            switch step & 15 {
            case 0: world.run(for: .milliseconds(Int(script.next() ?? 0)))
            case 1: world.run(for: .milliseconds(Int(script.number())))
            case 2, 3:
                clients[which & 1].send(script.bytes())
            case 4, 5:
                let kind: MediaKind = which & 1 == 0 ? .video : .audio
                number = which & 8 == 0 ? number + 1 : number &+ UInt64(script.number())
                clients[0].send(
                    clients[0].packet(
                        kind, ssrc: SSRC(which & 1 == 0 ? 1 : 2), number: number, isKeyFrame: which & 2 == 0))
            case 6:
                let datagram = script.bytes()
                world.inject(datagram, from: member.peer.localAddress)
            case 7: try clients[0].sendReport(ssrc: SSRC(UInt32(which)), toRTP: true)
            case 8: if consumers.count < 16 { try consume(which) }
            case 9: if let key = consumers.popLast() { handle.closeConsumer(key) }
            case 10:
                guard let key = consumers.last else { break }
                try handle.setConsumerPaused(key, which & 1 == 0)
                if which & 2 != 0 { try handle.requestKeyFrame(key) }
                try handle.setConsumerPreferredLayers(
                    key, ConsumerLayers(spatial: UInt8(which & 3), temporal: UInt8(which >> 2)))
            case 11:
                guard let key = consumers.last, let producer = tracks[which % tracks.count].producer else { break }
                try handle.switchProducer(
                    of: key, to: producer, ClientCodecs.sourceSettings(of: tracks[which % tracks.count]))
            case 12:
                if tracks.count < 8 { tracks.append(try clients[which & 1].produce(.video, ssrc: SSRC(UInt32(which)))) }
            case 13:
                if let producer = tracks[which % tracks.count].producer {
                    if which & 8 == 0 {
                        try handle.setProducerPaused(producer, which & 4 == 0)
                    } else {
                        handle.closeProducer(producer)
                    }
                }
            case 14: try handle.restartICE(member.transport, credentials: .random(using: &member.peer.random))
            default: try world.server.replaceShard(0, at: world.now)
            }
        }
        world.run(for: .milliseconds(100))
        for client in clients { handle.closeTransport(client.transport) }
        member.leave()
        world.run(for: .milliseconds(10))
        world.server.withShard(0) { shard in
            precondition(shard.transports.count == 0 && shard.producers.count == 0 && shard.consumers.count == 0)
        }
    }
}
