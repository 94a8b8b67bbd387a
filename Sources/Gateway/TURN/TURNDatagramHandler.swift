import NIOCore
import RoundhouseMedia

/// TURN over UDP: a socket's clients, each by its address. One without an allocation is answered and forgotten.
final class TURNDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let service: TURNService
    private var links: [IPAddressPort: TURNLink] = [:]

    init(service: TURNService) { self.service = service }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let client = IPAddressPort(envelope.remoteAddress) else { return }
        let frame = TURNStreamReader.datagram(Array(envelope.data.readableBytesView))
        if let link = links[client] {
            _ = link.received(frame)
            return
        }
        guard case .message = frame, service.mayAnswer(client) else { return }
        let link = makeLink(client, envelope.remoteAddress, context)
        _ = link.received(frame)
        if link.isAllocated { links[client] = link } else { link.end() }
    }

    private func makeLink(
        _ client: IPAddressPort, _ address: SocketAddress, _ context: ChannelHandlerContext
    ) -> TURNLink {
        TURNLink(
            service: service, client: client, kind: .udp, eventLoop: context.eventLoop,
            write: {
                context.write(self.wrapOutboundOut(AddressedEnvelope(remoteAddress: address, data: $0)), promise: nil)
            },
            flush: { context.flush() }, isWritable: { context.channel.isWritable },
            ended: { [weak self] in self?.links[client] = nil })
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { for link in links.values { link.becameWritable() } }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        for link in Array(links.values) { link.end() }
        context.fireChannelInactive()
    }

    /// A client that is gone is reported by the next datagram to it (ICMP).
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension IPAddressPort {
    /// - Returns: `nil` for what is no IP address.
    init?(_ address: SocketAddress?) {
        guard let address, let text = address.ipAddress, let port = address.port else { return nil }
        // A link-local address names its interface too (RFC 4007 §11).
        self.init(text: String(text.prefix { $0 != "%" }), port: UInt16(clamping: port))
    }
}
