import HTTPTypes
import NIOCore

/// What a client did on one of its streams.
enum HTTP2Event {
    /// A request's head; without `isEnd` a body, or a tunnel's bytes, follow.
    case request(Int32, HTTPRequest, isEnd: Bool)
    /// A head that cannot be served but can be answered.
    case badHead(Int32, HTTP2HeadProblem)
    /// Bytes of a body. They count against the stream's window until `HTTP2Session.consumed` gives them back.
    case body(Int32, ByteBuffer)
    /// The client sends no more on this stream.
    case end(Int32)
    /// The stream is over, in both directions or by a reset with this error code.
    case closed(Int32, code: UInt32)
}

/// Why a request's head is not served.
enum HTTP2HeadProblem {
    case tooLarge, invalid
}

/// What a client did that ends its connection.
struct HTTP2Violation: Error, Equatable {
    /// A closed list: the names are labels of a metric.
    enum Kind: String, CaseIterable {
        /// Streams opened and given up again, at a rate.
        case rapidReset = "rapid_reset"
        /// PING, SETTINGS and other frames that only make work, at a rate.
        case controlFlood = "control_flood"
        /// A head in more CONTINUATION frames than any head needs.
        case continuationFlood = "continuation_flood"
        /// A head that unpacks to many times what is allowed.
        case headerBomb = "header_bomb"
        /// Anything else that RFC 9113 or RFC 7541 calls a connection error.
        case protocolError = "protocol_error"
    }

    let kind: Kind
}

/// What one connection may use.
struct HTTP2Limits {
    /// Streams open at a time.
    var streams: UInt32 = 100
    /// Bytes a client may send on a stream before we have taken them.
    var window: UInt32 = 65_536
    /// Bytes of a head's names and values; the announced SETTINGS_MAX_HEADER_LIST_SIZE.
    var headerBytes = 16 * 1024
    /// Fields of a head.
    var headerFields = 100
    /// CONTINUATION frames of one head: as many as a head of the allowed size could need, and some.
    var continuations = 6
}
