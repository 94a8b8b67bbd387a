import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The TCP port: takes connections and gives each its pipeline.
final class HTTPListener: Sendable {
    private let channel: any Channel
    private let isClosed = Atomic<Bool>(false)
    /// The bound port.
    let port: Int

    static func bind(
        _ configuration: GatewayConfiguration, on group: any EventLoopGroup, pipeline: ConnectionPipeline
    ) async throws(GatewayError) -> HTTPListener {
        do {
            let channel = try await bootstrap(on: group, pipeline: pipeline)
                .bind(host: configuration.host, port: configuration.port).get()
            return HTTPListener(channel: channel, port: channel.localAddress?.port ?? configuration.port)
        } catch {
            throw failure(error, configuration)
        }
    }

    /// - Parameter begin: what a new connection's channel begins with, if not with finding out what its client speaks.
    static func bootstrap(
        on group: any EventLoopGroup, pipeline: ConnectionPipeline,
        begin: (@Sendable (any Channel) throws -> Void)? = nil
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        // Connections beyond the limit are sent the reason, as far as there is room to.
                        AcceptGuard(
                            limit: pipeline.limits.connections + AccessControl.maximumRefusals,
                            counters: pipeline.counters, failures: pipeline.failures))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // What is read at once is nobody's yet, and each connection may have as much; and the largest buffer that a
            // connection ever read into stays with it.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2048, maximum: 4096)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try (begin ?? pipeline.begin)(channel) }
            }
    }

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
    }

    /// Stops accepting; connections go on. Safe to call twice.
    func close() async {
        // A close on an event loop that has ended would never be answered.
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        try? await channel.close()
    }

    private static func failure(_ error: any Error, _ configuration: GatewayConfiguration) -> GatewayError {
        let place = "\(configuration.host) port \(configuration.port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: return GatewayError(.portInUse, "TCP port \(configuration.port) is in use by another process")
        case EADDRNOTAVAIL:
            return GatewayError(.addressUnavailable, "\(configuration.host) is not an address of this machine")
        case EACCES, EPERM: return GatewayError(.permissionDenied, "this user may not listen on \(place)")
        default:
            if error is SocketAddressError || error is SocketAddressError.UnknownHost {
                return GatewayError(.addressUnavailable, "\(configuration.host) is not an address or known host name")
            }
            return GatewayError(.system, "cannot listen on \(place): \(error)")
        }
    }
}
