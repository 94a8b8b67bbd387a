import NIOCore

/// The first handler of a connection: finds out what the client speaks, makes the pipeline for it, and leaves.
///
/// An HTTP/2 client that knows beforehand opens with the preface of RFC 9113 §3.4, which no HTTP/1.1 request begins with.
final class ProtocolSelector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let pipeline: ConnectionPipeline
    private var received = ByteBuffer()
    private var deadline: Scheduled<Void>?

    init(pipeline: ConnectionPipeline) { self.pipeline = pipeline }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(pipeline.limits.requestTimeout)) {
            let (handler, context) = bound.value
            handler.pipeline.counters.connectionRefused(.slowRequest)
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let known = received.readableBytesView.prefix(Self.preface.count)
        guard Self.preface.starts(with: known) else { return choose(.http1, context) }
        if known.count == Self.preface.count { choose(.http2, context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func choose(_ version: HTTPVersionName, _ context: ChannelHandlerContext) {
        do {
            switch version {
            case .http1: try pipeline.addHTTP1(to: context.channel)
            case .http2: try pipeline.addHTTP2(to: context.channel)
            }
        } catch {
            return context.close(promise: nil)
        }
        if received.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(received))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
