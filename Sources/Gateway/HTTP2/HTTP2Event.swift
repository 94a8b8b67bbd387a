import HTTPTypes
import NIOCore

/// What a client did on one of its streams.
enum HTTP2Event {
    /// A request's head; without `isEnd` a body, or a tunnel's bytes, follow.
    case request(Int32, HTTPRequest, isEnd: Bool)
    /// A head that cannot be served but can be answered.
    case badHead(Int32, HTTP2Head.Problem)
    /// Bytes of a body. They count against the stream's window until `HTTP2Session.consumed` gives them back.
    case body(Int32, ByteBuffer)
    /// The client sends no more on this stream.
    case end(Int32)
    /// The stream is over, in both directions or by a reset with this error code.
    case closed(Int32, code: UInt32)
}
