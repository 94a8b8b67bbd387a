import NIOCore
import NIOPosix
import Testing

/// A TCP client that sends any bytes and reads any bytes: it can break the protocols it speaks.
final class RawClient {
    struct TimedOut: Error {}
    struct Ended: Error {}

    private let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.Iterator
    private(set) var received = ByteBuffer()

    private init(channel: any Channel, incoming: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.incoming = incoming.makeAsyncIterator()
    }

    /// - Parameter reads: `false` leaves what arrives in the kernel, as a client does that has stopped.
    static func connect(port: Int, reads: Bool = true) async throws -> RawClient {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, incoming: stream)
    }

    func send(_ bytes: some Sequence<UInt8>) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func close() async { try? await channel.close() }

    /// Waits for more bytes; `false` when the server ended the connection.
    func readMore() async -> Bool {
        guard let more = await incoming.next() else { return false }
        received.writeImmutableBuffer(more)
        return true
    }

    /// Everything until the server ends the connection.
    func readToEnd() async -> String {
        while await readMore() {}
        return String(buffer: received)
    }

    /// One HTTP response with its body, by its Content-Length.
    func readResponse(isHeadOnly: Bool = false) async throws -> RawResponse {
        while true {
            if let response = RawResponse(consuming: &received, isHeadOnly: isHeadOnly) { return response }
            guard await readMore() else { throw Ended() }
        }
    }

    /// Takes what was received up to and with `end`; `nil` if that has not come yet.
    func takeText(through end: String) -> String? {
        let text = String(buffer: received)
        guard let range = text.firstRange(of: end) else { return nil }
        let taken = text[..<range.upperBound]
        received.moveReaderIndex(forwardBy: taken.utf8.count)
        return String(taken)
    }

    func take(_ count: Int) async throws -> [UInt8] {
        while received.readableBytes < count { guard await readMore() else { throw Ended() } }
        return received.readBytes(length: count) ?? []
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation
        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

struct RawResponse {
    var status: Int
    var fields: [String: String]
    var body: String

    init?(consuming buffer: inout ByteBuffer, isHeadOnly: Bool) {
        let text = String(buffer: buffer)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        self.status = status
        fields = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
        }
        let headLength = text[..<end.upperBound].utf8.count
        let bodyLength = isHeadOnly ? 0 : Int(fields["content-length"] ?? "0") ?? 0
        guard buffer.readableBytes >= headLength + bodyLength else { return nil }
        buffer.moveReaderIndex(forwardBy: headLength)
        body = buffer.readString(length: bodyLength) ?? ""
    }
}
