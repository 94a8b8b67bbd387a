import NIOCore

/// The last handler of the listening socket's channel. An option or the initializer of an accepted connection that fails
/// is an error that swift-nio fires behind its own accepting handler, where otherwise nobody sees it.
final class SetUpFailureHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let failures: SetUpFailures

    init(_ failures: SetUpFailures) { self.failures = failures }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { failures.occurred(error) }
}
