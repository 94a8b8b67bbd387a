import NIOCore
import NIOPosix
import RoundhouseMedia
import Synchronization

/// The TURN server's own port, for UDP and for TCP without TLS, at each address of the media plane: over UDP the answer has to come from
/// the address that was asked.
final class TURNListener: Sendable {
    private let channels: [any Channel]
    private let isClosed = Atomic<Bool>(false)
    let port: UInt16

    /// - Throws: `GatewayError` naming the port that cannot be had.
    static func bind(
        port: UInt16, service: TURNService, on group: any EventLoopGroup, pipeline: ConnectionPipeline
    ) async throws(GatewayError) -> TURNListener {
        var channels: [any Channel] = []
        do {
            for host in service.relay.hosts {
                channels.append(
                    try await DatagramBootstrap(group: group)
                        .channelOption(.writeBufferWaterMark, value: .init(low: 32_768, high: 65_536))
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(TURNDatagramHandler(service: service))
                            }
                        }
                        .bind(host: host, port: Int(port)).get())
                channels.append(
                    try await HTTPListener.bootstrap(on: group, pipeline: pipeline) { channel in
                        try pipeline.beginTURN(service, on: channel)
                    }.bind(host: host, port: Int(port)).get())
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw GatewayError(.turnPort, "UDP and TCP port \(port) for TURN: \(error)")
        }
        return TURNListener(channels: channels, port: port)
    }

    private init(channels: [any Channel], port: UInt16) {
        self.channels = channels
        self.port = port
    }

    /// Ends what is on UDP and takes no more on TCP. Safe to call twice.
    func close() async {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        for channel in channels { try? await channel.close() }
    }
}
