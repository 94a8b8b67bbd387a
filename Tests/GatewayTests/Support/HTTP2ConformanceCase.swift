/// One thing a conformance tool tries against an HTTP/2 server, and what RFC 9113 and RFC 7541 have the server do.
struct HTTP2ConformanceCase: CustomStringConvertible, Sendable {
    enum Reaction: Sendable {
        /// A GOAWAY with one of these codes (§5.4.1).
        case connectionError([UInt32])
        /// A RST_STREAM with one of these codes, or the same as a connection error (§5.4.2), or nothing where the
        /// stream is forgotten already (§5.1, closed).
        case streamError(UInt32, [UInt32], mayIgnore: Bool = false)
        /// The streams are answered and the connection goes on.
        case served([UInt32])
        /// Whatever it does, it lives on: the connection ends, with a GOAWAY or without, or goes on.
        case eitherWay
    }

    var description: String
    /// Between two steps the server answers what it was asked.
    var steps: [[UInt8]]
    var reaction: Reaction

    init(_ description: String, _ steps: [HTTP2Frame]..., is reaction: Reaction) {
        self.description = description
        self.steps = steps.map { $0.flatMap(\.bytes) }
        self.reaction = reaction
    }

    init(_ description: String, bytes: [UInt8], is reaction: Reaction) {
        self.description = description
        steps = [bytes]
        self.reaction = reaction
    }
}

extension HTTP2ConformanceCase {
    // Error codes of RFC 9113 §7.
    private static let protocolError: UInt32 = 1
    private static let flowControl: UInt32 = 3
    private static let streamClosed: UInt32 = 5
    private static let frameSize: UInt32 = 6
    private static let compression: UInt32 = 9

    private static let anyGet = HTTP2Frame.request("GET", "/")
    private static let zeros = [UInt8](repeating: 0, count: 8)
    private static func post(_ stream: UInt32) -> HTTP2Frame {
        .head(stream, HTTP2Frame.request("POST", "/"), isEnd: false)
    }
    /// A head that is to be continued.
    private static func begun(_ stream: UInt32, isEnd: Bool = true) -> HTTP2Frame {
        HTTP2Frame(
            kind: .headers, flags: isEnd ? HTTP2Frame.endStream : 0, stream: stream, payload: HTTP2Frame.block(anyGet))
    }
    private static func more(_ stream: UInt32, isLast: Bool, _ fields: [(String, String)] = [("x", "y")]) -> HTTP2Frame
    {
        HTTP2Frame(
            kind: .continuation, flags: isLast ? HTTP2Frame.endHeaders : 0, stream: stream,
            payload: HTTP2Frame.block(fields))
    }
    private static func settings(_ entries: (UInt16, UInt32)...) -> HTTP2Frame {
        let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + HTTP2Frame.big($0.1) }
        return HTTP2Frame(kind: .settings, payload: payload)
    }
    private static func raw(_ block: [UInt8], stream: UInt32 = 1) -> HTTP2Frame {
        HTTP2Frame(
            kind: .headers, flags: HTTP2Frame.endHeaders | HTTP2Frame.endStream, stream: stream, payload: block)
    }
    private static func padded(_ kind: HTTP2Frame.Kind, _ payload: [UInt8], padding: UInt8, flags: UInt8) -> HTTP2Frame
    {
        HTTP2Frame(
            kind: kind, flags: flags | 0x8, stream: 1,
            payload: [padding] + payload + [UInt8](repeating: 0, count: Int(padding)))
    }

    static let framing: [HTTP2ConformanceCase] = [
        .init(
            "§4.1 a frame of an unknown type", [HTTP2Frame(kind: .unknown, flags: 0xFF, payload: zeros), .get(1)],
            is: .served([1])),
        .init(
            "§4.1 an undefined flag", [HTTP2Frame(kind: .ping, flags: 0x16, payload: zeros), .get(1)], is: .served([1])),
        .init(
            "§4.1 the reserved bit of a stream's number",
            [HTTP2Frame(kind: .ping, stream: 0x8000_0000, payload: zeros), .get(1)], is: .served([1])),
        .init(
            "§4.2 a frame of the largest size",
            [post(1), .data(1, [UInt8](repeating: 0, count: 16_384), isEnd: true)], is: .served([1])),
        .init(
            "§4.2 DATA beyond the largest size",
            [post(1), .data(1, [UInt8](repeating: 0, count: 16_385), isEnd: true)],
            is: .streamError(1, [frameSize])),
        .init(
            "§4.2 HEADERS beyond the largest size",
            [.get(1, fields: [("x", String(repeating: "y", count: 16_384))])], is: .connectionError([frameSize])),
        .init(
            "§4.3 PRIORITY inside a head",
            [begun(1), HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 255])],
            is: .connectionError([protocolError])),
        .init(
            "§4.3 HEADERS of another stream inside a head", [begun(1), .get(3)], is: .connectionError([protocolError])),
        .init(
            "§5.5 an unknown frame inside a head", [begun(1), HTTP2Frame(kind: .unknown, stream: 1, payload: zeros)],
            is: .connectionError([protocolError])),
        .init(
            "§6.10 a head in three frames", [begun(1), more(1, isLast: false), more(1, isLast: true, [("a", "b")])],
            is: .served([1])),
        .init(
            "§6.10 CONTINUATION on stream 0", [begun(1), more(0, isLast: true)], is: .connectionError([protocolError])),
        .init(
            "§6.10 CONTINUATION after the head", [.get(1), more(1, isLast: true)],
            is: .connectionError([protocolError, streamClosed])),
        .init(
            "§6.10 CONTINUATION after the last CONTINUATION",
            [begun(1, isEnd: false), more(1, isLast: true), more(1, isLast: true)],
            is: .connectionError([protocolError])),
        .init(
            "§6.10 CONTINUATION after DATA", [post(1), .data(1, [1]), more(1, isLast: true)],
            is: .connectionError([protocolError])),
    ]

    static let streamStates: [HTTP2ConformanceCase] = [
        .init("§5.1 idle: DATA", [.data(1, [1], isEnd: true)], is: .connectionError([protocolError, streamClosed])),
        .init("§5.1 idle: RST_STREAM", [.reset(1)], is: .connectionError([protocolError])),
        .init("§5.1 idle: WINDOW_UPDATE", [.windowUpdate(1, by: 100)], is: .connectionError([protocolError])),
        .init(
            "§5.1 idle: PRIORITY", [HTTP2Frame(kind: .priority, stream: 3, payload: [0, 0, 0, 0, 16]), .get(1)],
            is: .served([1])),
        .init("§5.1 half-closed: DATA", [.get(1), .data(1, [1], isEnd: true)], is: .streamError(1, [streamClosed])),
        .init("§5.1 half-closed: HEADERS", [.get(1), .get(1)], is: .streamError(1, [streamClosed])),
        .init(
            "§5.1 half-closed: WINDOW_UPDATE and PRIORITY",
            [
                .get(1), .windowUpdate(1, by: 1), HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 16]),
            ], is: .served([1])),
        .init(
            "§5.1 closed by reset: DATA", [post(1), .reset(1), .data(1, [1], isEnd: true)],
            is: .streamError(1, [streamClosed])),
        .init(
            "§5.1 closed by reset: HEADERS", [post(1), .reset(1), .get(1)],
            is: .streamError(1, [streamClosed])),
        .init(
            "§5.1 closed by its end: DATA", [.get(1)], [.data(1, [1], isEnd: true)],
            is: .streamError(1, [streamClosed])),
        .init(
            "§5.1 closed by its end: HEADERS", [.get(1)], [.get(1)],
            is: .streamError(1, [streamClosed])),
        .init(
            "§5.1 closed: WINDOW_UPDATE, RST_STREAM and PRIORITY", [.get(1)],
            [
                .windowUpdate(1, by: 1), HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 16]), .reset(1),
                .get(3),
            ], is: .served([1, 3])),
        .init("§5.1.1 a stream of an even number", [.get(2)], is: .connectionError([protocolError])),
        .init(
            "§5.1.1 a number smaller than the last", [.get(5)], [.get(3)], is: .connectionError([protocolError])),
        .init(
            "§5.1.1 a number that was left out", [.get(1), .get(7)], [.get(9), .get(5)],
            is: .connectionError([protocolError])),
        .init(
            "§8.1 trailers of a stream below the last", [post(1), .get(3), .head(1, [("x", "y")], isEnd: true)],
            is: .served([1, 3])),
        .init(
            "§8.1 trailers of a stream below one that was opened after many were left out",
            [post(1), .get(301), .head(1, [("x", "y")], isEnd: true)], is: .served([1, 301])),
        .init("§5.1.1 numbers may be left out", [.get(1), .get(7), .get(101)], is: .served([1, 7, 101])),
        .init("§5.1.1 the largest number", [.get(0x7FFF_FFFF)], is: .served([0x7FFF_FFFF])),
        .init(
            "§5.3 HEADERS that depend on themselves",
            [
                HTTP2Frame(
                    kind: .headers, flags: 0x25, stream: 1, payload: [0, 0, 0, 1, 16] + HTTP2Frame.block(anyGet))
            ], is: .eitherWay),
        .init(
            "§5.3 PRIORITY that depends on itself",
            [HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 1, 16])], is: .eitherWay),
        .init(
            "§5.4.1 a graceful GOAWAY of the client", [.get(1), HTTP2Frame(kind: .goAway, payload: zeros)],
            is: .eitherWay),
    ]

    static let frames: [HTTP2ConformanceCase] = [
        .init("§6.1 DATA on stream 0", [.data(0, [1])], is: .connectionError([protocolError])),
        .init(
            "§6.1 padded DATA", [post(1), padded(.data, [1, 2], padding: 200, flags: HTTP2Frame.endStream)],
            is: .served([1])),
        .init(
            "§6.1 padding as long as the frame",
            [post(1), HTTP2Frame(kind: .data, flags: 0x9, stream: 1, payload: [5, 0, 0, 0, 0])],
            is: .connectionError([protocolError])),
        .init(
            "§6.1 padded DATA without the padding's length",
            [post(1), HTTP2Frame(kind: .data, flags: 0x9, stream: 1)], is: .connectionError([frameSize, protocolError])),
        .init("§6.2 HEADERS on stream 0", [.get(0)], is: .connectionError([protocolError])),
        .init(
            "§6.2 padded HEADERS with a priority",
            [
                HTTP2Frame(
                    kind: .headers, flags: 0x2D, stream: 1,
                    payload: [4, 0, 0, 0, 0, 16] + HTTP2Frame.block(anyGet) + [0, 0, 0, 0])
            ], is: .served([1])),
        .init(
            "§6.2 HEADERS with padding longer than the frame",
            [HTTP2Frame(kind: .headers, flags: 0xD, stream: 1, payload: [255] + HTTP2Frame.block(anyGet))],
            is: .connectionError([protocolError])),
        .init(
            "§6.2 HEADERS too short for their priority",
            [HTTP2Frame(kind: .headers, flags: 0x25, stream: 1, payload: [0, 0])],
            is: .connectionError([frameSize, protocolError])),
        .init(
            "§6.3 PRIORITY on stream 0", [HTTP2Frame(kind: .priority, payload: [0, 0, 0, 1, 16])],
            is: .connectionError([protocolError])),
        .init(
            "§6.3 PRIORITY of the wrong size",
            [post(1), HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 1])],
            is: .streamError(1, [frameSize])),
        .init("§6.4 RST_STREAM on stream 0", [.reset(0)], is: .connectionError([protocolError])),
        .init(
            "§6.4 RST_STREAM of the wrong size", [post(1), HTTP2Frame(kind: .reset, stream: 1, payload: [0, 0, 8])],
            is: .connectionError([frameSize])),
        .init("§6.4 an error code nobody knows", [post(1), .reset(1, code: 0xFFFF_FFFF), .get(3)], is: .served([3])),
        .init(
            "§6.5 SETTINGS of the wrong size", [HTTP2Frame(kind: .settings, payload: [0, 3, 0])],
            is: .connectionError([frameSize])),
        .init(
            "§6.5 SETTINGS on a stream", [HTTP2Frame(kind: .settings, stream: 1)], is: .connectionError([protocolError])
        ),
        .init(
            "§6.5 an acknowledgement with a payload",
            [HTTP2Frame(kind: .settings, flags: 1, payload: [0, 3, 0, 0, 0, 1])], is: .connectionError([frameSize])),
        .init("§6.5.2 ENABLE_PUSH of 2", [settings((2, 2))], is: .connectionError([protocolError])),
        .init("§6.5.2 ENABLE_PUSH of 0", [settings((2, 0)), .get(1)], is: .served([1])),
        .init(
            "§6.5.2 INITIAL_WINDOW_SIZE beyond 2^31-1", [settings((4, 0x8000_0000))],
            is: .connectionError([flowControl])),
        .init("§6.5.2 MAX_FRAME_SIZE below 2^14", [settings((5, 16_383))], is: .connectionError([protocolError])),
        .init(
            "§6.5.2 MAX_FRAME_SIZE beyond 2^24-1", [settings((5, 0x0100_0000))], is: .connectionError([protocolError])),
        .init(
            "§6.5.2 MAX_FRAME_SIZE at its ends", [settings((5, 16_384)), settings((5, 0xFF_FFFF)), .get(1)],
            is: .served([1])),
        .init("§6.5.2 a setting nobody knows", [settings((0xFF00, 1)), .get(1)], is: .served([1])),
        .init("§6.5.2 a table size of 0", [settings((1, 0)), .get(1)], is: .served([1])),
        .init("§6.5.2 the greatest table size", [settings((1, 0xFFFF_FFFF)), .get(1)], is: .served([1])),
        .init("§6.5.3 one setting twice: the last counts", [settings((4, 0), (4, 100)), .get(1)], is: .served([1])),
        .init(
            "RFC 8441 §3 a client's ENABLE_CONNECT_PROTOCOL that is no flag", [settings((8, 2))], is: .eitherWay),
        .init(
            "§6.6 PUSH_PROMISE of a client",
            [post(1), HTTP2Frame(kind: .push, flags: 4, stream: 1, payload: [0, 0, 0, 2] + HTTP2Frame.block(anyGet))],
            is: .connectionError([protocolError])),
        .init(
            "§6.7 an answered PING that was not asked", [HTTP2Frame(kind: .ping, flags: 1, payload: zeros), .get(1)],
            is: .served([1])),
        .init(
            "§6.7 PING on a stream", [HTTP2Frame(kind: .ping, stream: 1, payload: zeros)],
            is: .connectionError([protocolError])),
        .init(
            "§6.7 PING of the wrong size", [HTTP2Frame(kind: .ping, payload: [1, 2, 3, 4, 5, 6])],
            is: .connectionError([frameSize])),
        .init(
            "§6.8 GOAWAY on a stream", [HTTP2Frame(kind: .goAway, stream: 1, payload: zeros)],
            is: .connectionError([protocolError])),
        .init(
            "§6.8 GOAWAY of the wrong size", [HTTP2Frame(kind: .goAway, payload: [0, 0])],
            is: .connectionError([frameSize])),
    ]

    private static let sixteenK = HTTP2Frame.data(1, [UInt8](repeating: 0, count: 16_384))

    static let flowControlCases: [HTTP2ConformanceCase] = [
        .init(
            "§6.9 WINDOW_UPDATE of 0 for the connection", [.windowUpdate(0, by: 0)],
            is: .connectionError([protocolError])),
        .init(
            "§6.9 WINDOW_UPDATE of 0 for a stream", [post(1), .windowUpdate(1, by: 0)],
            is: .streamError(1, [protocolError])),
        .init(
            "§6.9 WINDOW_UPDATE of the wrong size", [HTTP2Frame(kind: .windowUpdate, payload: [0, 0, 1])],
            is: .connectionError([frameSize])),
        .init(
            "§6.9.1 the connection's window beyond 2^31-1",
            [.windowUpdate(0, by: 0x7FFF_FFFF), .windowUpdate(0, by: 0x7FFF_FFFF)],
            is: .connectionError([flowControl])),
        .init(
            "§6.9.1 a stream's window beyond 2^31-1",
            [post(1), .windowUpdate(1, by: 0x7FFF_FFFF), .windowUpdate(1, by: 0x7FFF_FFFF)],
            is: .streamError(1, [flowControl])),
        .init(
            "§6.9.2 a setting that takes a stream's window beyond 2^31-1",
            [post(1), .windowUpdate(1, by: 0x7FFF_0000), settings((4, 0x7FFF_FFFF))],
            is: .streamError(1, [flowControl])),
        .init(
            "§6.9.1 more DATA than the window", [post(1), sixteenK, sixteenK, sixteenK, sixteenK, sixteenK],
            is: .streamError(1, [flowControl])),
    ]

    static let messages: [HTTP2ConformanceCase] =
        [
            .init(
                "§8.1 trailers", [post(1), .data(1, [1]), .head(1, [("x-checksum", "1")], isEnd: true)],
                is: .served([1])),
            .init(
                "§8.1 trailers that do not end the stream", [post(1), .head(1, [("x", "y")], isEnd: false)],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.1 a pseudo field in trailers",
                [post(1), .data(1, [1]), .head(1, [(":method", "GET")], isEnd: true)],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.2.1 an upper-case name", [.get(1, fields: [("X-Test", "a")])], is: .streamError(1, [protocolError])),
            .init(
                "§8.2.1 a space in a name", [.get(1, fields: [("x test", "a")])], is: .streamError(1, [protocolError])),
            .init("§8.2.1 an empty name", [.get(1, fields: [("", "a")])], is: .streamError(1, [protocolError])),
            .init("§8.2.1 a NUL in a value", [.get(1, fields: [("x", "a\0b")])], is: .streamError(1, [protocolError])),
            .init(
                "§8.2.1 a line feed in a value", [.get(1, fields: [("x", "a\nb")])],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.2.2 Connection", [.get(1, fields: [("connection", "keep-alive")])],
                is: .streamError(1, [protocolError])),
            .init("§8.2.2 Keep-Alive", [.get(1, fields: [("keep-alive", "1")])], is: .streamError(1, [protocolError])),
            .init(
                "§8.2.2 Proxy-Connection", [.get(1, fields: [("proxy-connection", "close")])],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.2.2 Transfer-Encoding", [.get(1, fields: [("transfer-encoding", "chunked")])],
                is: .streamError(1, [protocolError])),
            .init("§8.2.2 Upgrade", [.get(1, fields: [("upgrade", "h2c")])], is: .streamError(1, [protocolError])),
            .init(
                "§8.2.2 TE other than trailers", [.get(1, fields: [("te", "trailers, deflate")])],
                is: .streamError(1, [protocolError])),
            .init("§8.2.2 TE: trailers", [.get(1, fields: [("te", "trailers")])], is: .served([1])),
            .init(
                "§8.3 an unknown pseudo field", [.head(1, anyGet + [(":test", "a")])],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.3 a response's pseudo field", [.head(1, anyGet + [(":status", "200")])],
                is: .streamError(1, [protocolError])),
            .init(
                "§8.3 a pseudo field after another field", [.head(1, [("x", "y")] + anyGet)],
                is: .streamError(1, [protocolError])),
            .init("§8.3.1 an empty :path", [.get(1, "")], is: .streamError(1, [protocolError])),
        ]

    static let pseudoFields: [HTTP2ConformanceCase] = [":method", ":scheme", ":path"].flatMap { name in
        let without: [(String, String)] = anyGet.filter { $0.0 != name }
        let twice: [(String, String)] = anyGet + anyGet.filter { $0.0 == name }
        let reaction = Reaction.streamError(1, [protocolError])
        return [
            HTTP2ConformanceCase("§8.3.1 no \(name)", [HTTP2Frame.head(1, without)], is: reaction),
            HTTP2ConformanceCase("§8.3.1 \(name) twice", [HTTP2Frame.head(1, twice)], is: reaction),
        ]
    }

    private static let postOfOneByte = HTTP2Frame.head(
        1, HTTP2Frame.request("POST", "/") + [("content-length", "1")], isEnd: false)

    static let lengths: [HTTP2ConformanceCase] = [
        .init(
            "§8.1.1 a length that is not one DATA frame's",
            [
                postOfOneByte, .data(1, [1, 2], isEnd: true),
            ],
            is: .streamError(1, [protocolError])),
        .init(
            "§8.1.1 a length that is not several DATA frames'",
            [
                postOfOneByte, .data(1, [1]), .data(1, [2], isEnd: true),
            ], is: .streamError(1, [protocolError])),
        .init(
            "§8.1.1 a length that is no number", [.get(1, fields: [("content-length", "one")])],
            is: .streamError(1, [protocolError])),
        .init(
            "§8.5 CONNECT with a :path", [.head(1, [(":method", "CONNECT"), (":authority", "x"), (":path", "/")])],
            is: .streamError(1, [protocolError])),
        .init("§8.3.1 OPTIONS *", [.head(1, HTTP2Frame.request("OPTIONS", "*"))], is: .served([1])),
    ]

    /// :method GET, :scheme http, :path / by their indices, :authority "h" as a literal.
    private static let indexedGet: [UInt8] = [0x82, 0x86, 0x84, 0x01, 0x01, 0x68]

    static let compressionCases: [HTTP2ConformanceCase] = [
        .init(
            "RFC 7541 §2.3.3 an index beyond the tables", [raw([0xFF, 0x80, 0x01])], is: .connectionError([compression])
        ),
        .init("RFC 7541 §6.1 index 0", [raw([0x80])], is: .connectionError([compression])),
        .init(
            "RFC 7541 §4.2 a change of the table's size after a field", [raw([0x82, 0x86, 0x84, 0x20])],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §6.3 a table larger than allowed", [raw([0x3F, 0xE1, 0xFF, 0x03, 0x82])],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §5.1 an integer without end", [raw([0xFF] + [UInt8](repeating: 0xFF, count: 16))],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §5.2 a string longer than the block", [raw([0x40, 0x0A, 0x61])],
            is: .connectionError([compression])),
        // "a" is 00011 in Huffman's code; a byte of padding too many, zeros for padding, and the end-of-string code.
        .init(
            "RFC 7541 §5.2 more than 7 bits of Huffman padding", [raw([0x00, 0x82, 0x1F, 0xFF, 0x01, 0x62])],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §5.2 Huffman padding of zeros", [raw([0x00, 0x81, 0x18, 0x01, 0x62])],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §5.2 the end-of-string code", [raw([0x00, 0x84, 0xFF, 0xFF, 0xFF, 0xFC, 0x01, 0x62])],
            is: .connectionError([compression])),
        .init(
            "RFC 7541 §6.2.3 fields never to be indexed",
            [raw(indexedGet + [0x10, 0x01, 0x78, 0x01, 0x79, 0x1F, 0x04, 0x01, 0x7A])], is: .served([1])),
        .init(
            "RFC 7541 §4.2 the table emptied and used again",
            [raw([0x20, 0x3F, 0xE1, 0x1F] + indexedGet + [0x40, 0x01, 0x78, 0x01, 0x79])],
            [raw(indexedGet + [0xBE], stream: 3)], is: .served([1, 3])),
        .init(
            "RFC 7541 §4.3 the table emptied, and a field of it named",
            [raw(indexedGet + [0x40, 0x01, 0x78, 0x01, 0x79])], [raw([0x20] + indexedGet + [0xBE], stream: 3)],
            is: .connectionError([compression])),
    ]

    static let all: [HTTP2ConformanceCase] = [
        framing, streamStates, frames, flowControlCases, messages, pseudoFields, lengths, compressionCases,
    ].flatMap(\.self)
}
