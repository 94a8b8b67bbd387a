import COpenSSL
import NIOCore
import NIOEmbedded
import Testing

@testable import RoundhouseGateway

/// A server's channel with TLS in it, in virtual time, and what comes out behind.
final class TLSChannel {
    let channel = EmbeddedChannel()
    let observer = Observer()
    /// How often the socket was asked for more.
    var reads: Int { socket.reads }
    /// Whether the socket is full.
    var holdsWrites: Bool {
        get { socket.holdsWrites }
        set {
            socket.holdsWrites = newValue
            if !newValue { socket.release() }
        }
    }
    /// Whether the socket's output was closed.
    var hasEndedOutput: Bool { socket.hasEndedOutput }
    private let socket = Socket()

    static let closeTimeout = TimeAmount.seconds(2)

    /// What the handlers behind TLS see.
    final class Observer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var handshakes: [String?] = []
        var problems: [TLSProblem] = []
        var received: [UInt8] = []
        var hasEnded = false
        /// Called with what was read, in the middle of reading.
        var react: ((ChannelHandlerContext, ByteBuffer) -> Void)?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            received += Array(bytes.readableBytesView)
            react?(context, bytes)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? TLSHandshakeCompleted { handshakes.append(event.applicationProtocol) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let problem = error as? TLSProblem { problems.append(problem) }
        }

        func channelInactive(context: ChannelHandlerContext) { hasEnded = true }
    }

    /// Stands where the socket would be.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0
        var holdsWrites = false
        var hasEndedOutput = false
        private var held: [() -> Void] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard holdsWrites else { return context.write(data, promise: promise) }
            held.append { context.write(data, promise: promise) }
            held.append { context.flush() }
        }

        /// The embedded channel closes no half of itself, but all.
        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard mode == .output else { return context.close(mode: mode, promise: promise) }
            hasEndedOutput = true
            promise?.succeed()
        }

        func release() {
            let actions = held
            held = []
            for action in actions { action() }
        }

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    init(_ context: TLSContext) throws {
        try channel.pipeline.syncOperations.addHandlers(
            [socket, try TLSServerHandler(context, closeTimeout: Self.closeTimeout), observer] as [any ChannelHandler])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func receive(_ bytes: some Sequence<UInt8>) throws { try channel.receive(bytes) }
    func takeOutput() throws -> [UInt8] { try channel.takeOutput() }
    func exchange(with client: TLSClient, piece: Int = .max) throws { try channel.exchange(with: client, piece: piece) }
}

extension EmbeddedChannel {
    func receive(_ bytes: some Sequence<UInt8>) throws {
        let bytes = ByteBuffer(bytes: bytes)
        if bytes.readableBytes > 0, isActive { try writeInbound(bytes) }
    }

    func takeOutput() throws -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try readOutbound(as: ByteBuffer.self) { all += Array(bytes.readableBytesView) }
        return all
    }

    /// Carries bytes both ways until both are silent.
    func exchange(with client: TLSClient, piece: Int = .max) throws {
        while true {
            _ = SSL_is_init_finished(client.ssl) == 1 || client.handshake()
            let up = client.takeOutput()
            for start in stride(from: 0, to: up.count, by: piece) { try receive(up[start...].prefix(piece)) }
            let down = try takeOutput()
            for start in stride(from: 0, to: down.count, by: piece) { client.receive(down[start...].prefix(piece)) }
            guard !up.isEmpty || !down.isEmpty else { return }
        }
    }
}
