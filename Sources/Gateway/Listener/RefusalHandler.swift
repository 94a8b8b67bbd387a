import HTTPTypes
import NIOCore

/// The only handler of a connection that is too many: answers its first request with the reason, if that is HTTP/1.1, and
/// ends the connection. Whatever else it speaks, it is just ended.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let response: OutgoingResponse
    private let counters: GatewayCounters
    private let timeout: TimeAmount
    private var isAnswered = false

    /// - Parameter timeout: for the client's first bytes, and then for it to take the answer.
    init(_ response: OutgoingResponse, counters: GatewayCounters, timeout: TimeAmount) {
        self.response = response
        self.counters = counters
        self.timeout = timeout
    }

    func handlerAdded(context: ChannelHandlerContext) { closeLater(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        isAnswered = true
        // A method begins with a letter; TLS with 22, and HTTP/2 with a method that is none.
        let bytes = unwrapInboundIn(data).readableBytesView
        guard let first = bytes.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first),
            !bytes.starts(with: "PRI".utf8)
        else { return context.close(promise: nil) }
        counters.responded(status: response.head.status.code)
        var text = "HTTP/1.1 \(response.head.status.code) \(response.head.status.reasonPhrase)\r\n"
        for field in response.head.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        text += "content-length: \(response.body.count)\r\nconnection: close\r\n\r\n"
        var buffer = context.channel.allocator.buffer(string: text)
        buffer.writeBytes(response.body)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in
            // Our side first: unread bytes in the socket would reset it, and the answer would be lost.
            bound.value.close(mode: .output, promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func closeLater(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
    }
}
