import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// One peer's protoo connection: enough of a client to enter a room, and to accept what the server offers.
final class SignalingClient: Sendable {
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    typealias JSON = [String: any Sendable]

    private let channel: any Channel
    private let handler: ProtooHandler

    /// Opens the WebSocket of a peer in a room.
    static func connect(
        port: Int, room: String, peer: String, group: any EventLoopGroup
    ) async throws -> SignalingClient {
        let handler = ProtooHandler()
        let upgraded = group.any().makePromise(of: Void.self)
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: 1 << 20) { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler)
                    upgraded.succeed()
                }
            }
            let opening = OpeningHandler(path: "/?roomId=\(room)&peerId=\(peer)", port: port)
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

    private init(channel: any Channel, handler: ProtooHandler) {
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

    /// How many `newConsumer` requests have been accepted.
    func consumerCount() async throws -> Int {
        let handler = self.handler
        return try await channel.eventLoop.submit { handler.consumers }.get()
    }

    func close() async { try? await channel.close().get() }
}

/// Asks for the upgrade once the connection is made.
private final class OpeningHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let path: String
    private let port: Int

    init(path: String, port: Int) {
        self.path = path
        self.port = port
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Host": "127.0.0.1:\(port)", "Content-Length": "0", "Sec-WebSocket-Protocol": "protoo",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// The protoo framing on one connection.
// Sendable: all state is touched on the channel's event loop only.
private final class ProtooHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private(set) var consumers = 0
    private var context: ChannelHandlerContext?
    private var waiting: [Int: EventLoopPromise<SignalingClient.JSON>] = [:]
    private var nextID = 1
    private var fragments = ByteBuffer()

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for promise in waiting.values { promise.fail(SignalingClient.Refusal(description: "the connection is closed")) }
        waiting = [:]
    }

    func request(_ method: String, _ data: SignalingClient.JSON, _ promise: EventLoopPromise<SignalingClient.JSON>) {
        let id = nextID
        nextID += 1
        waiting[id] = promise
        send(["request": true, "id": id, "method": method, "data": data])
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
        guard let object = (try? JSONSerialization.jsonObject(with: text)) as? [String: Any] else { return }
        if object["response"] as? Bool == true, let id = object["id"] as? Int,
            let promise = waiting.removeValue(forKey: id)
        {
            if object["ok"] as? Bool == true {
                promise.succeed(object["data"] as? SignalingClient.JSON ?? [:])
            } else {
                promise.fail(SignalingClient.Refusal(description: "\(object["errorReason"] ?? "refused")"))
            }
        } else if object["request"] as? Bool == true, let id = object["id"] as? Int {
            if object["method"] as? String == "newConsumer" { consumers += 1 }
            send(["response": true, "id": id, "ok": true, "data": [String: String]()])
        }
    }

    private func send(_ object: [String: Any]) {
        guard let context, let text = try? JSONSerialization.data(withJSONObject: object) else { return }
        let frame = WebSocketFrame(
            fin: true, opcode: .text, maskKey: .random(), data: context.channel.allocator.buffer(bytes: text))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
