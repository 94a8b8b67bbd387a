import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// One connection for signaling: enough of a client to enter a room, and to accept what the server offers.
final class SignalingClient: Sendable {
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private let channel: any Channel
    private let handler: SignalingHandler

    static func connect(
        _ dialect: SignalingDialect, port: Int, path: String, group: any EventLoopGroup
    ) async throws -> SignalingClient {
        let handler = SignalingHandler(dialect)
        let upgraded = group.any().makePromise(of: Void.self)
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: 1 << 20) { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler)
                    upgraded.succeed()
                }
            }
            let opening = OpeningHandler(dialect, path: path, port: port)
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers(
                    withClientUpgrade: (
                        upgraders: [upgrader],
                        completionHandler: { context in context.pipeline.removeHandler(opening, promise: nil) }
                    ))
                try channel.pipeline.syncOperations.addHandler(opening)
            }
        }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
        channel.closeFuture.whenComplete { _ in upgraded.fail(Refusal(description: "the server closed the connection"))
        }
        try await upgraded.futureResult.get()
        return SignalingClient(channel: channel, handler: handler)
    }

    private init(channel: any Channel, handler: SignalingHandler) {
        self.channel = channel
        self.handler = handler
    }

    /// Sends a request and returns the response's data.
    func request(_ method: String, _ data: JSON) async throws -> JSON {
        let handler = self.handler
        let promise = channel.eventLoop.makePromise(of: JSON.self)
        channel.eventLoop.execute { handler.request(method, data, promise) }
        return try await promise.futureResult.get()
    }

    /// Waits until the server's own requests, which are accepted all, were so many.
    func awaitRequests(_ count: Int) async throws {
        let handler = self.handler
        let deadline = ContinuousClock.now + .seconds(30)
        while try await channel.eventLoop.submit({ handler.accepted }).get() < count {
            guard ContinuousClock.now < deadline else {
                throw Refusal(description: "the server did not offer every stream within 30 s")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Answers, requests and notifications that came.
    func messagesReceived() async throws -> Int {
        let handler = self.handler
        return try await channel.eventLoop.submit { handler.received }.get()
    }

    func close() async { try? await channel.close().get() }
}

/// Asks for the upgrade once the connection is made.
private final class OpeningHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let dialect: SignalingDialect
    private let path: String
    private let port: Int

    init(_ dialect: SignalingDialect, path: String, port: Int) {
        self.dialect = dialect
        self.path = path
        self.port = port
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Host": "127.0.0.1:\(port)", "Content-Length": "0", "Sec-WebSocket-Protocol": dialect.rawValue,
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Requests and answers on one connection.
// Sendable: all state is touched on the channel's event loop only.
private final class SignalingHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private(set) var accepted = 0
    private(set) var received = 0
    private let dialect: SignalingDialect
    private var context: ChannelHandlerContext?
    private var waiting: [Int: EventLoopPromise<JSON>] = [:]
    private var nextID = 1
    private var fragments = ByteBuffer()

    init(_ dialect: SignalingDialect) { self.dialect = dialect }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for promise in waiting.values { promise.fail(SignalingClient.Refusal(description: "the connection is closed")) }
        waiting = [:]
    }

    func request(_ method: String, _ data: JSON, _ promise: EventLoopPromise<JSON>) {
        let id = nextID
        nextID += 1
        waiting[id] = promise
        send(dialect.frame(method, data, id: id))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping:
            let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case .text, .continuation:
            fragments.writeBuffer(&frame.data)
            guard frame.fin else { return }
            let text = Data(fragments.readableBytesView)
            fragments.clear()
            message(text)
        default: break
        }
    }

    private func message(_ text: Data) {
        received += 1
        guard let object = (try? JSONSerialization.jsonObject(with: text)) as? JSON else { return }
        switch dialect.meaning(of: object) {
        case .answer(let id, let data): waiting.removeValue(forKey: id)?.succeed(data)
        case .refusal(let id, let reason):
            waiting.removeValue(forKey: id)?.fail(SignalingClient.Refusal(description: reason))
        case .request(let reply):
            accepted += 1
            send(reply)
        case .notice: break
        }
    }

    private func send(_ object: JSON) {
        guard let context, let text = try? JSONSerialization.data(withJSONObject: object) else { return }
        let frame = WebSocketFrame(
            fin: true, opcode: .text, maskKey: .random(), data: context.channel.allocator.buffer(bytes: text))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
