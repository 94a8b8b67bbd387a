import NIOCore
import RoundhouseMedia

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// TURN over TCP or TLS: the last handler of a connection.
final class TURNConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that wait in the channel, and in the kernel unsent: what waits there can be given up no more.
    private static let mostWaiting = ChannelOptions.Types.WriteBufferWaterMark(low: 8_192, high: 16_384)
    private static let mostUnsent: ChannelOptions.Types.SocketOption.Value = 16_384

    private let service: TURNService
    private let kind: RelayKind
    private let client: IPAddressPort
    private var link: TURNLink?
    private var reader = TURNStreamReader()

    init(service: TURNService, kind: RelayKind, client: IPAddressPort) {
        self.service = service
        self.kind = kind
        self.client = client
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Without them all works, with more delay where the client takes little.
        try? context.channel.syncOptions?.setOption(.writeBufferWaterMark, value: Self.mostWaiting)
        try? context.channel.syncOptions?.setOption(
            ChannelOptions.Types.SocketOption(
                level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)), value: Self.mostUnsent)
        link = TURNLink(
            service: service, client: client, kind: kind, eventLoop: context.eventLoop,
            write: { context.write(self.wrapOutboundOut($0), promise: nil) }, flush: { context.flush() },
            isWritable: { context.channel.isWritable }, ended: { context.close(promise: nil) })
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        link?.end()
        link = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        link?.end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.append(unwrapInboundIn(data).readableBytesView)
        while let link {
            let frame = reader.next()
            if frame == .incomplete { return }
            if !link.received(frame) { return link.end() }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { link?.becameWritable() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
