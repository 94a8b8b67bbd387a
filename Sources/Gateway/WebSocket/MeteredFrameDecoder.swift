import NIOCore
import NIOWebSocket

/// NIO's decoder, which keeps a frame's beginning until its end has come: what it keeps is borrowed.
final class MeteredFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = WebSocketFrame

    private let decoder: WebSocketFrameDecoder
    private var kept: BorrowedBytes

    init(maxFrameSize: Int, loan: MemoryLoan) {
        decoder = WebSocketFrameDecoder(maxFrameSize: maxFrameSize)
        kept = BorrowedBytes(loan)
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let state = try decoder.decode(context: context, buffer: &buffer)
        let left = state == .needMoreData ? buffer.readableBytes : 0
        guard kept.resize(to: left) else {
            // Not later, when the connection is gone: the memory is the reason.
            buffer = ByteBuffer()
            throw MemoryRefused()
        }
        return state
    }

    func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        _ = kept.resize(to: 0)
        return .needMoreData
    }
}
