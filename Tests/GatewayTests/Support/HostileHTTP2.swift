/// Something a client must not send after its preface, by name.
struct HostileHTTP2: CustomStringConvertible, Sendable {
    var description: String
    var bytes: [UInt8]

    private init(_ name: String, bytes: [UInt8]) {
        description = name
        self.bytes = bytes
    }

    private init(_ name: String, _ frames: HTTP2Frame...) {
        self.init(name, bytes: HTTP2Frame.opening + frames.flatMap(\.bytes))
    }

    private init(malformed name: String, _ fields: [(String, String)]) {
        self.init(name, bytes: HTTP2Frame.head(1, fields).bytes)
    }

    private static let zeros = [UInt8](repeating: 0, count: 8)
    private static let post = HTTP2Frame.head(1, HTTP2Frame.request("POST", "/"), isEnd: false)
    private static let get = HTTP2Frame.request("GET", "/")
    private static let openHead = HTTP2Frame(
        kind: .headers, flags: 1, stream: 1, payload: HTTP2Frame.block(get))

    /// Connection errors of RFC 9113 and RFC 7541, each with the section that calls it one.
    static let connectionErrors: [HostileHTTP2] = [
        .init("§3.4 not the preface", bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX".utf8)),
        .init(
            "§3.4 no SETTINGS first", bytes: HTTP2Frame.preface + HTTP2Frame(kind: .ping, payload: zeros).bytes),
        .init("§4.2 a frame over the limit", bytes: HTTP2Frame.opening + [0x01, 0, 0, 0, 0, 0, 0, 0, 1]),
        .init(
            "§4.3 broken HPACK",
            HTTP2Frame(kind: .headers, flags: 5, stream: 1, payload: [UInt8](repeating: 0xFF, count: 7))),
        .init("§5.1 DATA on an idle stream", .data(5, [1])),
        .init("§5.1 a reset of an idle stream", .reset(5)),
        .init("§5.1.1 a stream with an even number", .get(2)),
        .init("§6.1 DATA on stream 0", .data(0, [1])),
        .init(
            "§6.1 padding longer than the frame", post, HTTP2Frame(kind: .data, flags: 8, stream: 1, payload: [9, 0])),
        .init("§6.2 HEADERS on stream 0", .get(0)),
        .init("§6.4 a reset of the wrong size", .get(1), HTTP2Frame(kind: .reset, stream: 1, payload: [0])),
        .init("§6.5 SETTINGS on a stream", HTTP2Frame(kind: .settings, stream: 1)),
        .init("§6.5 SETTINGS of the wrong size", HTTP2Frame(kind: .settings, payload: [0])),
        .init(
            "§6.5 an acknowledgement with a payload",
            HTTP2Frame(kind: .settings, flags: 1, payload: [0, 3, 0, 0, 0, 1])),
        .init("§6.5.2 a window beyond 2^31-1", HTTP2Frame(kind: .settings, payload: [0, 4, 0x80, 0, 0, 0])),
        .init("§6.5.2 a frame size below 16,384", HTTP2Frame(kind: .settings, payload: [0, 5, 0, 0, 0, 1])),
        .init("§6.6 a PUSH_PROMISE of a client", HTTP2Frame(kind: .push, flags: 4, stream: 1, payload: [0, 0, 0, 2])),
        .init("§6.7 a PING of the wrong size", HTTP2Frame(kind: .ping, payload: [0])),
        .init("§6.7 a PING on a stream", HTTP2Frame(kind: .ping, stream: 1, payload: zeros)),
        .init("§6.8 a GOAWAY on a stream", HTTP2Frame(kind: .goAway, stream: 1, payload: zeros)),
        .init("§6.9 a window that grows by nothing", .windowUpdate(0, by: 0)),
        .init("§6.9.1 a window beyond 2^31-1", .windowUpdate(0, by: 0x7FFF_FFFF)),
        .init("§6.10 a CONTINUATION of nothing", HTTP2Frame(kind: .continuation, flags: 4, stream: 1)),
        .init("§6.10 another frame inside a head", openHead, .data(1, [])),
    ]

    /// Malformed requests (RFC 9113 §8.1.1) on stream 1.
    static let malformedRequests: [HostileHTTP2] = [
        .init(malformed: "no :path", [(":method", "GET"), (":scheme", "http"), (":authority", "x")]),
        .init(malformed: "two :path", get + [(":path", "/")]),
        .init(malformed: "an empty :path", HTTP2Frame.request("GET", "")),
        .init(malformed: "a response's pseudo field", get + [(":status", "200")]),
        .init(malformed: "a pseudo field after others", [("a", "b")] + get),
        .init(malformed: "an upper-case name", get + [("Accept", "x")]),
        .init(malformed: "Connection", get + [("connection", "close")]),
        .init(malformed: "Upgrade", get + [("upgrade", "websocket")]),
        .init(malformed: "Transfer-Encoding", get + [("transfer-encoding", "chunked")]),
        .init(malformed: "TE that is not trailers", get + [("te", "gzip")]),
        .init(malformed: "a line break in a value", get + [("a", "b\r\nc: d")]),
        .init(malformed: ":protocol without CONNECT", get + [(":protocol", "websocket")]),
        .init(malformed: "a length that is not the body's", get + [("content-length", "5")]),
    ]
}
