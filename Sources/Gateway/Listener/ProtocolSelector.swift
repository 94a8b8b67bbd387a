import NIOCore
import RoundhouseMedia

/// The first handler of a connection: finds out what the client speaks, makes the pipeline for it, and leaves.
///
/// An HTTP/2 client that knows beforehand opens with the preface of RFC 9113 §3.4, which no HTTP/1.1 request begins with; and TLS
/// opens with a handshake record (RFC 8446 §5.1), whose first byte begins neither. Inside TLS, ALPN says it;
/// TURN, for which browsers name no protocol, is known by its first byte.
final class ProtocolSelector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// The content type of a TLS record that carries handshake messages.
    private static let handshakeRecord: UInt8 = 22

    /// Requests and indications of STUN begin with one of these.
    private static let mostOfSTUN: UInt8 = 1

    private let pipeline: ConnectionPipeline
    private var isEncrypted = false
    /// Whether the first byte inside TLS is waited for.
    private var isOpen = false
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
        // Inside TLS the handshake's end decides, and it comes before any byte, or the first byte does.
        guard !isEncrypted || isOpen else { return }
        if let first = received.readableBytesView.first, first <= Self.mostOfSTUN, let turn = pipeline.access.turn,
            isEncrypted || turn.isBehindBalancer
        {
            return chooseTURN(turn, context)
        }
        guard !isEncrypted else { return choose(.http1, context) }
        if received.readableBytesView.first == Self.handshakeRecord, let certificate = pipeline.certificates.context {
            return beginTLS(certificate, context)
        }
        let known = received.readableBytesView.prefix(Self.preface.count)
        guard Self.preface.starts(with: known) else {
            // A method of this name is reserved for the preface, and no HTTP/1.1 request has it (RFC 9113 §11.6): a client that
            // means HTTP/2 and cannot say so is not waited for.
            guard !known.starts(with: Self.preface.prefix(4)) else {
                pipeline.counters.connectionRefused(.malformedRequest)
                return context.close(promise: nil)
            }
            return choose(.http1, context)
        }
        if known.count == Self.preface.count { choose(.http2, context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSHandshakeCompleted {
            pipeline.counters.tlsEstablished()
            // coturn's client offers http/1.1 before what it speaks.
            guard event.applicationProtocol != "h2" else { return choose(.http2, context) }
            guard pipeline.access.turn == nil else {
                isOpen = true
                return
            }
            choose(.http1, context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that leaves in the middle of a handshake is no offender.
        if isEncrypted, !isOpen, context.channel.isActive { pipeline.failures.handshakeFailed(error) }
        context.close(promise: nil)
    }

    private func beginTLS(_ certificate: TLSContext, _ context: ChannelHandlerContext) {
        isEncrypted = true
        let bytes = received
        received = ByteBuffer()
        do {
            let tls = try TLSServerHandler(certificate, closeTimeout: TimeAmount(pipeline.limits.closeTimeout))
            try context.pipeline.syncOperations.addHandler(tls, position: .before(self))
        } catch {
            pipeline.failures.occurred(error)
            return context.close(promise: nil)
        }
        context.pipeline.fireChannelRead(bytes)
        context.pipeline.fireChannelReadComplete()
    }

    private func choose(_ version: HTTPVersionName, _ context: ChannelHandlerContext) {
        become(context) {
            switch version {
            case .http1: try pipeline.addHTTP1(to: context.channel, scheme: isEncrypted ? "https" : "http")
            case .http2: try pipeline.addHTTP2(to: context.channel, isEncrypted: isEncrypted)
            }
        }
    }

    private func chooseTURN(_ turn: TURNService, _ context: ChannelHandlerContext) {
        // What a balancer brings came to it over TLS.
        become(context) { try pipeline.addTURN(turn, to: context.channel, .tls) }
    }

    /// - Parameter add: makes the pipeline that goes on.
    private func become(_ context: ChannelHandlerContext, _ add: () throws -> Void) {
        do {
            try add()
        } catch {
            pipeline.failures.occurred(error)
            return context.close(promise: nil)
        }
        if received.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(received))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
