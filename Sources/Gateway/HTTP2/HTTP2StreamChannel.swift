import NIOCore
import Synchronization

/// A stream that became a tunnel (RFC 8441), as a channel: what speaks WebSocket over a socket speaks it here unchanged.
///
/// Reading is what opens the stream's window again, so a handler that holds back `read` slows the client down.
// Sendable: the two atomics may be read from anywhere; all else is touched only on the event loop, where `Channel`'s
// contract runs the core.
final class HTTP2StreamChannel: Channel, ChannelCore, @unchecked Sendable {
    let allocator = ByteBufferAllocator()
    let eventLoop: any EventLoop
    let parent: (any Channel)?
    let streamID: Int32
    private let active = Atomic<Bool>(true)
    private let closePromise: EventLoopPromise<Void>
    private(set) lazy var pipeline = ChannelPipeline(channel: self)
    private var handler: HTTP2Handler?
    private var waiting: [ByteBuffer] = []
    private var waitingBytes: BorrowedBytes
    private var isReadWanted = false
    private var isEnded = false

    /// - Parameter loan: what the bytes are borrowed by that were not read yet.
    init(streamID: Int32, of handler: HTTP2Handler, parent: any Channel, loan: MemoryLoan) {
        waitingBytes = BorrowedBytes(loan)
        self.streamID = streamID
        self.handler = handler
        self.parent = parent
        eventLoop = parent.eventLoop
        closePromise = parent.eventLoop.makePromise()
        // Made here, on the event loop, and never replaced: a constant, but for needing `self`.
        _ = pipeline
    }

    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var localAddress: SocketAddress? { parent?.localAddress }
    var remoteAddress: SocketAddress? { parent?.remoteAddress }
    var isActive: Bool { active.load(ordering: .acquiring) }
    var isWritable: Bool { isActive && parent?.isWritable == true }
    var _channelCore: any ChannelCore { self }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: The connection's side

    /// Begins to read, once the handlers are in the pipeline.
    func start() {
        pipeline.fireChannelRegistered()
        pipeline.fireChannelActive()
        pipeline.read()
    }

    func bytesReceived(_ bytes: ByteBuffer) {
        waiting.append(bytes)
        if isReadWanted { return deliver() }
        guard waitingBytes.add(bytes.readableBytes) else {
            return close0(error: MemoryRefused(), mode: .all, promise: nil)
        }
    }

    /// The client sends no more: like the end of a TCP connection (RFC 8441 §5).
    func ended() {
        isEnded = true
        if waiting.isEmpty { close0(error: ChannelError.eof, mode: .all, promise: nil) }
    }

    /// The stream is gone, and so is what was not sent.
    func streamClosed() {
        handler = nil
        close0(error: ChannelError.eof, mode: .all, promise: nil)
    }

    private func deliver() {
        isReadWanted = false
        let bytes = waiting
        waiting = []
        _ = waitingBytes.resize(to: 0)
        for part in bytes {
            handler?.consumed(part.readableBytes, of: streamID)
            pipeline.fireChannelRead(part)
        }
        pipeline.fireChannelReadComplete()
        if isEnded {
            close0(error: ChannelError.eof, mode: .all, promise: nil)
        } else if isActive {
            pipeline.read()
        }
    }

    // MARK: The pipeline's side

    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isActive, let handler else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        handler.write(unwrapData(data, as: ByteBuffer.self), on: streamID, promise)
    }

    func flush0() { handler?.flush() }

    func read0() {
        isReadWanted = true
        if !waiting.isEmpty { deliver() }
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        guard active.exchange(false, ordering: .acquiringAndReleasing) else {
            promise?.succeed()
            return
        }
        waiting = []
        _ = waitingBytes.resize(to: 0)
        handler?.finish(streamID)
        handler = nil
        promise?.succeed()
        pipeline.fireChannelInactive()
        pipeline.fireChannelUnregistered()
        // The handlers that are closing the channel right now are still in use.
        eventLoop.execute {
            self.removeHandlers(pipeline: self.pipeline)
            self.closePromise.succeed()
        }
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}
}
